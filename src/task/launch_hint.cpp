#include "task/launch_hint.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace sidecar_executor::task {
namespace {

// ---- Vault: texts of src/vault and src/net ------------------------------------------------------

/// Said by nobody but src/vault, whatever else is in the text.
constexpr std::array vault_texts{
    Hint{"vault cannot be used", "the VAULT_ variables that the message names"},
    Hint{"vault has no secret",
         "nothing is at this path in Vault: see the vault:// value of the task"},
    Hint{"has no key", "the secret has no such key: see the vault:// value of the task"},
    Hint{" was deleted", "this version of the secret is gone: name another one, or undelete it"},
    Hint{" was destroyed", "this version of the secret is gone for good: name another one"},
    Hint{"vault does not accept the token",
         "the token has ended, was revoked, or is another Vault's: see VAULT_TOKEN and the login"},
};

/// Of an HTTP answer. Its reason may speak of Vault's own connections, so it is told apart.
constexpr std::array vault_answers{
    Hint{"vault is sealed", "Vault is sealed: somebody has to unseal it"},
    Hint{": http 5", "Vault, or a proxy before it, failed: see its log"},
    Hint{": http 429", "Vault takes no more requests: see its rate limit quotas"},
    Hint{"without a reason of vault",
         "something else than Vault answers, or it wants https: see VAULT_ADDR"},
    Hint{"log in by",
         "Vault refused the login: see VAULT_AUTH_METHOD, VAULT_USERNAME, VAULT_ROLE_ID and their "
         "kin"},
    Hint{"permission denied",
         "Vault does not let this token read the path: see the policies of its role"},
};

constexpr std::string_view vault_away =
    "Vault is down, or the way to it is barred: see VAULT_ADDR and Vault's log";

/// Nothing that can be read as an answer came.
constexpr std::array vault_connections{
    Hint{"cannot be used", "the file that the VAULT_ variable names: is it there, is it PEM?"},
    Hint{"certificate refused",
         "Vault's certificate is not trusted here: see VAULT_CACERT, VAULT_TLS_SERVER_NAME and the "
         "certificate itself"},
    Hint{"client certificate",
         "Vault wants another client certificate: see VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"},
    Hint{"proxy http",
         "the HTTP proxy before Vault: see VAULT_PROXY_ADDR, HTTPS_PROXY and NO_PROXY"},
    Hint{"look up ", "this host cannot look up the name: see VAULT_ADDR and DNS"},
    Hint{"no answer within",
         "Vault is slow, or the way to it is barred: see its log and VAULT_CLIENT_TIMEOUT"},
    Hint{"connection refused", vault_away},
    Hint{"connection reset", vault_away},
    Hint{"connection timed out", vault_away},
    Hint{"closed by the other side", vault_away},
    Hint{"cut off", vault_away},
    Hint{"no route to host", vault_away},
    Hint{"network is unreachable", vault_away},
    Hint{"unix://", vault_away},
    Hint{"not an http answer", "something else than Vault answers: see VAULT_ADDR"},
    Hint{"no json object", "something else than Vault answers: see VAULT_ADDR"},
};

std::string_view vault_advice(std::string_view text) {
  const auto advice = first_advice(vault_texts, text);
  if (!advice.empty()) return advice;
  const bool answered = text.find(": http ") != std::string_view::npos;  // `...: HTTP 403: denied`
  return answered ? first_advice(vault_answers, text) : first_advice(vault_connections, text);
}

// ---- Docker ------------------------------------------------------------------------------------

constexpr std::string_view docker_away =
    "is the daemon running (systemctl status docker), may the executor's user use its socket, is "
    "DOCKER_HOST right?";

/// First match wins: the more special texts stand first.
constexpr std::array docker_hints{
    // Ours: what the system says of Docker's socket or of the sandbox is not about the image.
    Hint{"docker is not reachable", docker_away},
    Hint{"unix://", docker_away},
    Hint{"cannot make the folder",
         "the sandbox: is its disk full, is a file in the way, may the executor's user write "
         "there?"},
    Hint{"address already in use",
         "another process or container on this host holds the port: see ss -ltnp"},
    Hint{"port is already allocated",
         "another container on this host holds the port: see docker ps"},
    Hint{"bind source path does not exist",
         "the host path of a volume does not exist on this agent"},
    Hint{"mount source path",
         "Docker cannot make the host path of a volume: see container.volumes, and whether the "
         "host's file system there can be written"},
    Hint{"logging driver",
         "Docker cannot use the log driver: see parameters log-driver and log-opt, and whether its "
         "collector is there"},
    Hint{"could not select device driver",
         "Docker has no driver for what parameter gpus asks for: is the NVIDIA container toolkit "
         "on this host?"},
    Hint{"unknown runtime",
         "Docker has no such runtime here: see parameter runtime and docker info"},
    Hint{"range of cpus", "more CPUs than this host has: see parameter cpus"},
    Hint{"requested cpus are not available",
         "this host has no such CPUs: see parameter cpuset-cpus"},
    Hint{"iptables",
         "Docker's firewall rules are not there, as after a restart of firewalld: restart Docker"},
    Hint{"invalid mount config", "a volume of the task is wrong: see container.volumes"},
    Hint{"cannot mkdir",
         "the working directory cannot be made in the image: see parameter workdir and the image's "
         "WORKDIR"},
    Hint{"unable to find user",
         "the image has no such user: see parameter user and the image's USER"},
    Hint{"unable to find group",
         "the image has no such group: see parameters user and group-add and the image's USER"},
    Hint{"not a directory", "a volume mounts a file onto a folder or a folder onto a file"},
    // Of crun; with runc the container starts and says it itself.
    Hint{"exec format error",
         "the image is built for another CPU architecture, or a script lacks its #! line"},
    Hint{"setting rlimit",
         "the engine may not set so high a limit here: see parameter ulimit and the limits of the "
         "engine's own process"},
    Hint{"container-init binary",
         "this host has no init for containers (Podman: package catatonit): see parameter init"},
    Hint{"opening seccomp profile",
         "Podman takes no profile from its client: see parameter security-opt"},
    Hint{"gathering device information", "this host has no such device: see parameter device"},
    Hint{"executable file not found",
         "the command is not in the image: see label executor.ShellCommand and the image's PATH"},
    Hint{"no such file or directory",
         "the command, or the interpreter of its #! line, is not in the image"},
    Hint{"permission denied", "the command is not executable, or its file belongs to another user"},
    Hint{"minimum memory limit", "Docker refuses so small a memory limit: raise the task's mem"},
    Hint{"toomanyrequests",
         "the registry takes no more pulls from here for now: use a login or a mirror"},
    Hint{"token has expired",
         "the login in the Docker config file has ended (ECR: after 12 hours): renew it, or use a "
         "credential helper"},
    Hint{"x509:",
         "Docker does not trust the registry's certificate: see /etc/docker/certs.d and the host's "
         "clock"},
    Hint{"http response to https",
         "the registry speaks no TLS: see insecure-registries in Docker's daemon.json"},
    Hint{"no matching manifest", "the image is not there for this host's CPU architecture"},
    Hint{"no basic auth credentials",
         "the registry wants a login and none was found: see EXECUTOR_DOCKER_REPOSITORY and "
         "DOCKER_CONFIG"},
    Hint{"unauthorized",
         "the registry refused the credentials: see EXECUTOR_DOCKER_REPOSITORY and the Docker "
         "config file"},
    Hint{"pull access denied",
         "no such repository, or it needs a login: see EXECUTOR_DOCKER_REPOSITORY and the Docker "
         "config file"},
    Hint{"manifest unknown", "the registry has no such tag"},
    Hint{"no such host",
         "Docker cannot look up the registry's name: see the image's name and this host's DNS"},
    Hint{"not found", "no such image, network or volume: see the names in the task"},
    Hint{"connection refused", "the other side does not listen: is the daemon or registry up?"},
    Hint{"no space left on device",
         "the disk of Docker's data folder is full: see docker system df"},
};

}  // namespace

std::string_view first_advice(std::span<const Hint> hints, std::string_view text) {
  const auto found = std::find_if(hints.begin(), hints.end(), [text](const Hint& hint) {
    return text.find(hint.part) != std::string_view::npos;
  });
  return found == hints.end() ? std::string_view() : found->advice;
}

std::string launch_hint(const std::string& error) {
  const std::string text = to_lower(error);
  const bool of_vault =
      text.starts_with("vault: ") || text.find(": vault cannot be used: ") != std::string::npos;
  return std::string(of_vault ? vault_advice(text) : first_advice(docker_hints, text));
}

}  // namespace sidecar_executor::task
