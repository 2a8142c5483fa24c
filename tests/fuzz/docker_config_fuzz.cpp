// Docker's config files and what credential helpers print: no secret outside the header.
#include <boost/json.hpp>

#include "base/encoding.hpp"
#include "docker/registry_auth.hpp"
#include "fuzz/fuzz_target.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

/// X-Registry-Auth is base64url of an object that names the server.
void check_header(std::string header) {
  std::replace(header.begin(), header.end(), '-', '+');
  std::replace(header.begin(), header.end(), '_', '/');
  const auto text = sx::base64_decode(header);
  require(text.has_value(), "the header is base64url");
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a password may be any bytes
  boost::system::error_code failed;
  const auto value = json::parse(*text, failed, {}, options);
  require(!failed && value.is_object(), "of a JSON object");
  require(value.get_object().contains("serveraddress"), "that names the server");
}

/// Entries are named in messages, so only their values count.
bool names_are_harmless(std::string_view input) {
  boost::system::error_code failed;
  const auto value = json::parse(input, failed);
  const auto harmless = [](const json::object& object) {
    return std::none_of(object.begin(), object.end(),
                        [](const auto& member) { return sx::fuzz::has_secret(member.key()); });
  };
  if (failed || !value.is_object()) return true;
  for (const auto& member : value.get_object())
    if (member.value().is_object() && !harmless(member.value().get_object())) return false;
  return harmless(value.get_object());
}

}  // namespace

SX_FUZZ_TARGET(docker_config) {
  const auto read = [input](const std::string&) -> sx::Result<std::string> {
    return std::string(input);
  };
  for (const char* repository : {"https://index.docker.io/v1/", "registry.example.com:5000", ""}) {
    const auto auth = sx::docker::find_registry_auth(repository, "registry.example.com:5000",
                                                     {"/root/.docker/config.json"}, read);
    require(auth.header.empty() == auth.source.empty(), "a header has a source");
    if (!auth.header.empty()) check_header(auth.header);
    const bool harmless = names_are_harmless(input);
    require(!harmless || !sx::fuzz::has_secret(auth.source), "no secret in the source");
    for (const auto& warning : auth.warnings)
      require(
          sx::fuzz::is_for_people(warning, 600) && (!harmless || !sx::fuzz::has_secret(warning)),
          "no secret in a warning");
  }
  const sx::docker::CredentialHelper helper{"test", "https://index.docker.io/v1/", "here"};
  const auto header = sx::docker::auth_of_helper(helper, input);
  if (header) check_header(*header);
  if (!header) require(!sx::fuzz::has_secret(header.error().message), "no output in the error");
}
