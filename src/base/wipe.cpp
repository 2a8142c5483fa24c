#include "base/wipe.hpp"

#include <openssl/crypto.h>

namespace sidecar_executor {

void wipe(std::string& text) {
  text.resize(text.capacity());
  ::OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void wipe(std::vector<std::string>& texts) {
  for (auto& text : texts) wipe(text);
  texts.clear();
}

}  // namespace sidecar_executor
