// RecordIO: decimal length, newline, that many bytes.
#pragma once

#include <string>
#include <string_view>

namespace mini_agent {

inline std::string record(std::string_view bytes) {
  return std::to_string(bytes.size()) + "\n" + std::string(bytes);
}

}  // namespace mini_agent
