// How Vault's certificate is verified: VAULT_CACERT, VAULT_CAPATH and their kin.
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "vault/client.hpp"

namespace sidecar_executor::vault {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_file = 4UL * 1024 * 1024;
constexpr int most_files = 1000;

/// Every certificate of every file in it, as Vault's client reads the folder; OpenSSL would want
/// names made of hashes.
Result<std::string> read_folder(const std::string& folder) {
  std::error_code ec;
  std::string pem;
  int files = 0;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored) || it->file_size(ignored) > largest_file) continue;
    if (++files > most_files)
      return Error{ErrorKind::too_large, "more than 1000 files in " + folder};
    std::ifstream file(it->path(), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    pem += text.str() + "\n";
  }
  if (ec) return Error{ErrorKind::invalid, folder + ": " + ec.message()};
  if (pem.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    return Error{ErrorKind::invalid, "no PEM certificate in " + folder};
  return pem;
}

/// net names the file; an operator set a variable.
std::string variable_of(const std::string& message) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> texts{
      {{"CA file", "VAULT_CACERT"},
       {"CA certificates", "VAULT_CACERT_BYTES"},
       {"certificate file", "VAULT_CLIENT_CERT"},
       {"key ", "VAULT_CLIENT_KEY"}}};
  for (const auto& [text, variable] : texts) {
    if (message.starts_with(text)) return std::string(variable);
  }
  return "TLS settings of Vault";
}

}  // namespace

Result<std::shared_ptr<const net::TlsContext>> make_tls(const Settings& settings) {
  net::TlsSettings tls = settings.tls;
  if (!settings.ca_folder.empty()) {
    const auto pem = read_folder(settings.ca_folder);
    if (!pem) return pem.error().during("VAULT_CAPATH");
    tls.ca_pem += "\n" + *pem;
  }
  auto made = net::TlsContext::make(tls);
  if (!made) return made.error().during(variable_of(made.error().message));
  return made;
}

}  // namespace sidecar_executor::vault
