// Reads from the stand-in Vault's KV mounts. `path` is what comes behind the mount.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>

#include "http_server.hpp"

namespace mini_agent {

HttpAnswer vault_read_kv1(const std::map<std::string, boost::json::value>& secrets,
                          const std::string& path);
HttpAnswer vault_read_kv2(const std::map<std::string, boost::json::array>& secrets,
                          const std::string& path, const std::string& query);

}  // namespace mini_agent
