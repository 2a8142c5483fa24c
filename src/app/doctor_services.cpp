// What doctor asks over the network: Docker, credential helpers, Sidecar, the syslog collector.
// With the same modules as a task.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "app/doctor.hpp"
#include "docker/credential_helper.hpp"
#include "docker/engine.hpp"
#include "docker/host_files.hpp"
#include "docker/registry_auth.hpp"
#include "net/side_thread.hpp"
#include "relay/sink.hpp"
#include "sidecar/client.hpp"
#include "task/relay_run.hpp"

namespace sidecar_executor::app {
namespace {

const char* docker_advice(const std::string& error) {
  if (error.find("ermission denied") != std::string::npos)
    return "the user that tasks run as must be root or in the group docker";
  return "is the daemon running (systemctl status docker), and is DOCKER_HOST right?";
}

/// With the user's rights, as a task reads them. What is only looked at in case that tasks run as
/// root (docker_config_paths) is absent for others.
Result<std::string> read_config(const std::string& path, const std::string& docker_config) {
  auto bytes = docker::read_host_file(path);
  if (bytes || bytes.error().kind == ErrorKind::not_found) return bytes;
  Error error = bytes.error();
  const bool in_case = path.starts_with("/root/") && path != docker_config + "/config.json";
  if (in_case && ::access(path.c_str(), R_OK) != 0 && errno == EACCES)
    error.kind = ErrorKind::not_found;
  // Whoever tells it names the file.
  if (error.message.starts_with(path + ": ")) error.message.erase(0, path.size() + 2);
  return error;
}

/// `source` (`FILE, entry KEY`) is read because of this process's HOME alone.
bool only_by_home(const std::string& source, const Lookup& environment) {
  const auto paths = docker::docker_config_paths([&environment](std::string_view name) {
    return name == "HOME" ? std::nullopt : environment(name);
  });
  return std::none_of(paths.begin(), paths.end(), [&source](const std::string& path) {
    return source.starts_with(path + ", ");
  });
}

void add_credentials(Findings& out, const std::string& found, bool only_by_home) {
  if (!only_by_home) return add(out, Level::ok, "registry", found);
  add(out, Level::warn, "registry", found + ", which HOME led to",
      "tasks have no HOME from their agent and do not read it: set DOCKER_CONFIG in "
      "executor-environment.sh");
}

}  // namespace

// ---- Docker ------------------------------------------------------------------------------------

asio::awaitable<void> Doctor::docker(Findings& out, net::Cancellation& cancellation) {
  const auto unreachable = [&out](const std::string& text, const char* advice) {
    add(out, Level::fail, "docker", text, advice);
    add(out, Level::warn, "limits", "cannot be told without Docker");
  };
  const auto where = docker::engine_address(inputs_.environment);
  if (!where) co_return unreachable(where.error().message, "no task can run: correct the variable");
  docker::Engine engine(executor_, *where);
  const auto hook = cancellation.on_cancel([&engine] { engine.close(); });
  const std::string host = where->address.display();
  const auto answer = co_await engine.negotiate(&cancellation);
  if (!answer) {
    const auto text = why(answer.error());
    co_return unreachable(at(host, text), docker_advice(text));
  }
  const auto info = co_await engine.info();
  const bool by_variable = !where->api_version.empty();
  if (!info && by_variable && info.error().message.find("client version") != std::string::npos) {
    co_return unreachable(host + ": " + *answer + ": " + info.error().message,
                          "no task can run: correct DOCKER_API_VERSION, or unset it");
  }
  out.push_back(judge_docker(host + ": " + *answer, engine.api_minor(), by_variable));
  if (info) co_return out.push_back(judge_limits(*info, loaded_.settings));
  add(out, Level::fail, "limits", "GET /info: " + why(info.error()),
      "Docker answers a ping and no more: see its log (journalctl -u docker)");
}

// ---- registry ----------------------------------------------------------------------------------

asio::awaitable<void> Doctor::registry(Findings& out, net::Cancellation& cancellation) {
  const std::string wanted = loaded_.settings.docker_repository;
  const auto paths = docker::docker_config_paths(inputs_.environment);
  auto auth = std::make_shared<docker::RegistryAuth>();
  const auto read = co_await net::in_side_thread(
      [auth, wanted, paths, folder = get("DOCKER_CONFIG")] {
        *auth = docker::find_registry_auth(
            wanted, wanted, paths,
            [&folder](const std::string& path) { return read_config(path, folder); });
      },
      inputs_.limit, &cancellation);
  if (!read) {
    co_return add(out, Level::fail, "registry", "Docker's config files: " + why(read.error()),
                  "is a home folder on a network disk that is gone?");
  }
  for (const auto& warning : auth->warnings) add(out, Level::warn, "registry", warning);
  std::string source = auth->header.empty() ? "" : auth->source;
  std::string file = source;
  for (const auto& helper : auth->helpers) {
    const auto said = co_await docker::ask_credential_helper(executor_, helper, cancellation);
    const auto header = said ? docker::auth_of_helper(helper, *said) : said;
    if (header) {
      source = "docker-credential-" + helper.name + " (" + helper.source + ")";
      file = helper.source;
      break;
    }
    if (header.error().kind == ErrorKind::not_found) continue;
    add(out, Level::warn, "registry", helper.source + ": " + why(header.error()),
        "the executor goes on without this helper");
  }
  if (!source.empty())
    co_return add_credentials(out, "credentials for " + wanted + " by " + source,
                              only_by_home(file, inputs_.environment));
  if (wanted == Settings().docker_repository) {
    co_return add(out, Level::ok, "registry",
                  "no credentials for " + wanted +
                      ", public images can be pulled; other registries are looked up by the "
                      "image's name");
  }
  add(out, Level::warn, "registry", "no credentials for " + wanted,
      "tasks have no HOME from their agent: docker login with DOCKER_CONFIG=/a/folder, and set "
      "DOCKER_CONFIG in executor-environment.sh");
}

// ---- Sidecar -----------------------------------------------------------------------------------

asio::awaitable<void> Doctor::sidecar(Findings& out, net::Cancellation& cancellation) {
  const std::string unchecked = "tasks run, but their health is not checked: ";
  const auto& settings = loaded_.settings;
  const std::string task_host = get("TASK_HOST");
  const bool by_task_host = !task_host.empty();
  auto config = sidecar::client_config(settings, by_task_host ? task_host : inputs_.host_name);
  if (!config) {
    co_return add(out, Level::warn, "sidecar", config.error().message,
                  unchecked + "correct it, or see the host's certificate authorities");
  }
  config->timeout = inputs_.limit;
  if (settings.http_timeout.count() > 0)
    config->timeout = std::min(settings.http_timeout, inputs_.limit);
  const std::string host =
      config->host + (by_task_host
                          ? " (TASK_HOST)"
                          : " (this host's name; without TASK_HOST tasks ask for the agent's "
                            "--hostname)");
  const std::string server = config->url.address.display();
  sidecar::Client client(executor_, std::move(*config));
  const auto known = co_await client.knows_host(cancellation);
  if (!known) {
    co_return add(out, Level::warn, "sidecar", at(server, why(known.error())),
                  unchecked + "is Sidecar running, is EXECUTOR_SIDECAR_URL right?");
  }
  if (*known) co_return add(out, Level::ok, "sidecar", server + " knows host " + host);
  add(out, Level::warn, "sidecar", server + " answers, but does not know host " + host,
      by_task_host
          ? unchecked + "set TASK_HOST to Sidecar's name of this host"
          : "tasks ask for the TASK_HOST that Singularity sets, or for the agent's "
            "--hostname: run doctor with TASK_HOST=<that name> to see whether it is known");
}

// ---- syslog ------------------------------------------------------------------------------------

asio::awaitable<void> Doctor::syslog(Findings& out, net::Cancellation& cancellation) {
  const auto& settings = loaded_.settings;
  if (!task::relays(settings))
    co_return add(out, Level::ok, "syslog", "not used (EXECUTOR_RELAY_SYSLOG is false)");
  relay::Sink sink(executor_, task::sink_config(settings), {});
  const auto connected = co_await sink.connect(cancellation);
  if (!connected) {
    co_return add(out, Level::fail, "syslog", at(settings.syslog_addr, why(connected.error())),
                  "log lines are not relayed: see EXECUTOR_SYSLOG_ADDR, EXECUTOR_SYSLOG_PROTOCOL");
  }
  const bool udp = settings.syslog_protocol == SyslogProtocol::udp;
  add(out, Level::ok, "syslog",
      settings.syslog_addr + (udp ? " has an address; UDP does not tell whether anybody listens"
                                  : " takes connections"));
}

}  // namespace sidecar_executor::app
