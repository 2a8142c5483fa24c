#pragma once
// Pure: credentials for a registry out of Docker's config files (docker.md "Registry credentials").

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "docker/read_file.hpp"

namespace sidecar_executor::docker {

/// A program that may know credentials: credHelpers and credsStore.
struct CredentialHelper {
  std::string name;    ///< `ecr-login`: the program is docker-credential-ecr-login
  std::string server;  ///< what it is asked for
  std::string source;  ///< `/root/.docker/config.json, credHelpers`
};

struct RegistryAuth {
  std::string header;  ///< X-Registry-Auth: base64url of the JSON; empty = none found
  std::string
      source;  ///< `/root/.docker/config.json, entry https://index.docker.io/v1/`; no secret
  std::vector<std::string>
      warnings;  ///< unreadable file, bad JSON, bad base64: file and entry named
  /// To be asked first, in this order: Docker's command line prefers them to what the file holds.
  std::vector<CredentialHelper> helpers;
};

/// X-Registry-Auth of what a helper printed: `{"ServerURL":..,"Username":..,"Secret":..}`; the user
/// `<token>` marks an identity token. Errors (protocol) show nothing of the output.
Result<std::string> auth_of_helper(const CredentialHelper& helper, std::string_view output);

/// Files in the order they are looked at: $DOCKER_CONFIG/config.json, $HOME/.docker/config.json,
/// $HOME/.dockercfg, /root/.docker/config.json, /root/.dockercfg.
std::vector<std::string> docker_config_paths(const Lookup& environment);

/// DockerRepository's entry by exact key, then by host name; then the image's own registry.
RegistryAuth find_registry_auth(const std::string& docker_repository,
                                std::string_view image_registry,
                                const std::vector<std::string>& paths, const ReadFile& read_file);

}  // namespace sidecar_executor::docker
