// What a stand-in Vault holds, read from a JSON file. README.md shows one.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace mini_agent {

// How long a token or a lease lives, in whole seconds.
struct VaultLife {
  std::chrono::seconds ttl{3600};   // 0: for ever
  std::chrono::seconds max_ttl{0};  // all renewals together; 0: without limit
  bool renewable = true;
};

struct VaultContent {
  struct Token {
    std::string id;
    VaultLife life;
  };
  struct User {
    std::string password;
    VaultLife life;
  };
  struct AppRole {
    std::string secret_id;
    VaultLife life;
  };
  struct AwsRole {
    VaultLife life;
    bool security_token = false;  // temporary credentials have one
  };
  // Mount, without slashes at its ends -> what is below it.
  template <typename T>
  using Mounts = std::map<std::string, std::map<std::string, T>>;

  std::map<std::string, Token> tokens;  // by a name that may be shown
  Mounts<User> userpass;
  Mounts<AppRole> approle;  // by role id
  Mounts<AwsRole> aws;
  Mounts<boost::json::value> kv1;  // path -> object
  Mounts<boost::json::array> kv2;  // path -> versions from 1 on, null where one was deleted
};

// Throws std::runtime_error that names the member.
VaultContent parse_vault_content(std::string_view text);
VaultContent load_vault_content(const std::string& path);

}  // namespace mini_agent
