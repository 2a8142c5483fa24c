#include "vault_kv.hpp"

#include <cstdlib>

#include "vault_answers.hpp"

namespace mini_agent {

namespace json = boost::json;

HttpAnswer vault_read_kv1(const std::map<std::string, json::value>& secrets,
                          const std::string& path) {
  const auto found = secrets.find(path);
  if (found == secrets.end()) return vault_errors(404, {});
  return vault_answer({{"lease_duration", 2764800}, {"data", found->second}});
}

HttpAnswer vault_read_kv2(const std::map<std::string, json::array>& secrets,
                          const std::string& path, const std::string& query) {
  const std::string data = "data/";
  if (!path.starts_with(data)) {
    const json::array warnings{
        "Invalid path for a versioned K/V engine. See the API docs for the "
        "appropriate API endpoints to use."};
    return vault_answer({{"warnings", warnings}}, 404);
  }
  const auto found = secrets.find(path.substr(data.size()));
  if (found == secrets.end() || found->second.empty()) return vault_errors(404, {});
  const json::array& versions = found->second;
  std::size_t version = versions.size();
  if (query.starts_with("version=")) {
    const long asked = std::atol(query.c_str() + 8);
    if (asked > 0) version = static_cast<std::size_t>(asked);
  }
  if (version > versions.size()) return vault_errors(404, {});
  const json::value& value = versions[version - 1];
  const json::object both{{"data", value},
                          {"metadata", vault_version_metadata(version, value.is_null())}};
  return vault_answer({{"data", both}}, value.is_null() ? 404 : 200);
}

}  // namespace mini_agent
