// Tokens and leases of the stand-in Vault, with their ends. A lease ends with its token.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "vault_content.hpp"

namespace mini_agent {

using VaultTime = std::chrono::steady_clock::time_point;

// From when to when something is valid.
struct VaultTerm {
  VaultLife life;
  VaultTime issued;
  std::optional<VaultTime> end;  // none: for ever
};

struct VaultToken {
  std::string id;  // secret
  std::string name, accessor, path, display_name;
  boost::json::value meta;
  VaultTerm term;
};

struct VaultLease {
  std::string id, name;
  std::string token;  // id of the token that got it
  VaultTerm term;
};

class VaultStore {
 public:
  using Now = std::function<VaultTime()>;
  explicit VaultStore(Now now) : now_(std::move(now)) {}

  // The pointers are valid until the next call. `id` empty: a new one.
  VaultToken* add_token(VaultToken token, const VaultLife& life);
  VaultLease* add_lease(VaultLease lease, const VaultLife& life);
  // Null: never given out, revoked or ended.
  VaultToken* token(const std::string& id);
  VaultLease* lease(const std::string& id);
  void revoke_token(const std::string& id);
  void revoke_lease(const std::string& id);
  void revoke_all();

  // What Vault grants: `asked`, or the life's ttl for 0, but no more than the life's maximum.
  std::chrono::seconds renew(VaultTerm& term, std::chrono::seconds asked) const;
  std::chrono::seconds rest(const VaultTerm& term) const;  // 0: for ever, or ended

  // Names of what is valid now, and of what ended or was revoked so far.
  boost::json::object summary();

 private:
  void sweep();
  void drop_orphans(boost::json::array& where);

  Now now_;
  std::list<VaultToken> tokens_;
  std::list<VaultLease> leases_;
  boost::json::array revoked_, expired_;
};

// `length` characters of [A-Za-z0-9].
std::string random_text(std::size_t length);

}  // namespace mini_agent
