#include "vault_store.hpp"

#include <algorithm>
#include <random>

namespace mini_agent {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

template <typename Entries, typename Ended>
void move_names(Entries& entries, json::array& where, Ended ended) {
  std::erase_if(entries, [&](const auto& entry) {
    if (!ended(entry)) return false;
    where.push_back(json::value(entry.name));
    return true;
  });
}

template <typename Entries>
auto* with_id(Entries& entries, const std::string& id) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

template <typename Entries>
json::array names(const Entries& entries) {
  json::array result;
  for (const auto& entry : entries) result.push_back(json::value(entry.name));
  return result;
}

}  // namespace

std::string random_text(std::size_t length) {
  static std::mt19937_64 random{std::random_device{}()};
  const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::uniform_int_distribution<std::size_t> any(0, letters.size() - 1);
  std::string text;
  while (text.size() < length) text += letters[any(random)];
  return text;
}

VaultToken* VaultStore::add_token(VaultToken token, const VaultLife& life) {
  if (token.id.empty()) token.id = "hvs." + random_text(24);
  token.accessor = random_text(24);
  token.term = {life, now_(), std::nullopt};
  if (life.ttl.count() > 0) renew(token.term, seconds(0));
  return &tokens_.emplace_back(std::move(token));
}

VaultLease* VaultStore::add_lease(VaultLease lease, const VaultLife& life) {
  lease.id += "/" + random_text(24);
  lease.term = {life, now_(), std::nullopt};
  renew(lease.term, seconds(0));
  return &leases_.emplace_back(std::move(lease));
}

seconds VaultStore::renew(VaultTerm& term, seconds asked) const {
  const VaultTime now = now_();
  seconds granted = asked.count() > 0 ? asked : term.life.ttl;
  if (term.life.max_ttl.count() > 0) {
    const auto most = term.issued + term.life.max_ttl - now;
    granted = std::clamp(std::chrono::duration_cast<seconds>(most), seconds(0), granted);
  }
  term.end = now + granted;
  return granted;
}

seconds VaultStore::rest(const VaultTerm& term) const {
  if (!term.end) return seconds(0);
  return std::max(seconds(0), std::chrono::duration_cast<seconds>(*term.end - now_()));
}

void VaultStore::drop_orphans(json::array& where) {
  move_names(leases_, where,
             [&](const VaultLease& lease) { return with_id(tokens_, lease.token) == nullptr; });
}

void VaultStore::sweep() {
  const auto ended = [now = now_()](const auto& entry) {
    return entry.term.end && *entry.term.end <= now;
  };
  move_names(leases_, expired_, ended);
  move_names(tokens_, expired_, ended);
  drop_orphans(expired_);
}

VaultToken* VaultStore::token(const std::string& id) {
  sweep();
  return with_id(tokens_, id);
}

VaultLease* VaultStore::lease(const std::string& id) {
  sweep();
  return with_id(leases_, id);
}

void VaultStore::revoke_token(const std::string& id) {
  sweep();
  move_names(tokens_, revoked_, [&](const VaultToken& token) { return token.id == id; });
  drop_orphans(revoked_);
}

void VaultStore::revoke_lease(const std::string& id) {
  sweep();
  move_names(leases_, revoked_, [&](const VaultLease& lease) { return lease.id == id; });
}

void VaultStore::revoke_all() {
  sweep();
  move_names(tokens_, revoked_, [](const VaultToken&) { return true; });
  drop_orphans(revoked_);
}

json::object VaultStore::summary() {
  sweep();
  return {{"tokens", names(tokens_)},
          {"leases", names(leases_)},
          {"revoked", revoked_},
          {"expired", expired_}};
}

}  // namespace mini_agent
