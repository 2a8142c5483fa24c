#pragma once

#include <string>

namespace mini_agent {

struct TlsFiles {
  std::string certificate, key;  // PEM
  std::string client_authority;  // PEM; not empty: a client certificate is required
};

}  // namespace mini_agent
