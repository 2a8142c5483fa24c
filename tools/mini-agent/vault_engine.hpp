// Decides what the stand-in Vault answers: the shapes of Vault's HTTP API v1 as documented and as
// recorded in shared/golden. No sockets; its clock is given.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>

#include "http_server.hpp"
#include "vault_content.hpp"
#include "vault_store.hpp"

namespace mini_agent {

struct VaultRequest {
  std::string method;
  std::string path;   // below /v1/, decoded
  std::string query;  // behind the '?'
  std::optional<std::string> token;
  std::string body;
};

// Percent-decodes the path. None: not below /v1/.
std::optional<VaultRequest> vault_request(const CallRequest& call);

class VaultEngine {
 public:
  struct Reply {
    HttpAnswer answer;
    boost::json::object details;  // of the JSON line: token, lease, increment, granted
  };
  // Called with each secret that is given out (token, access key, secret key, security token).
  using Issued = std::function<void(const std::string& secret)>;

  VaultEngine(VaultContent content, VaultStore::Now now, Issued issued);

  Reply answer(const VaultRequest& request);
  void revoke_all() { store_.revoke_all(); }
  boost::json::object summary();  // logins, and the store's

 private:
  Reply login(const VaultRequest& request);
  Reply token_call(const VaultRequest& request, VaultToken& token);
  Reply lease_call(const VaultRequest& request);
  Reply lookup(const VaultToken& token) const;
  Reply new_token(const std::string& name, const std::string& path, boost::json::object meta,
                  const VaultLife& life);
  Reply mount_of(const std::string& path) const;
  Reply read(const VaultRequest& request, const VaultToken& token);
  Reply credentials(const std::string& mount, const std::string& role, const VaultToken& token);

  VaultContent content_;
  VaultStore store_;
  Issued issued_;
  int logins_ = 0, leases_ = 0;
};

}  // namespace mini_agent
