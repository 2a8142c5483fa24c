// The envelope of Vault's answers and what is in it.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>

#include "http_server.hpp"
#include "vault_store.hpp"

namespace mini_agent {

// The members that every answer has, with null or empty for what is not given in `members`.
HttpAnswer vault_answer(boost::json::object members, unsigned status = 200);
HttpAnswer vault_errors(unsigned status, const boost::json::array& errors);
HttpAnswer vault_no_content();  // 204

boost::json::object vault_auth(const VaultToken& token, std::chrono::seconds duration);
boost::json::object vault_lookup(const VaultToken& token, std::chrono::seconds rest);
boost::json::object vault_version_metadata(std::size_t version, bool deleted);

}  // namespace mini_agent
