#include "torture/task_setup.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace sx_torture {
namespace {

namespace json = boost::json;
using Variables = std::vector<std::pair<std::string, std::string>>;

std::string secret(const Scenario& s, const std::string& name) {
  return "Torture-" + std::to_string(s.seed) + "-" + name;
}

std::string shell_of(const Scenario& s) {
  const std::string lines =
      "yes torture line of the container | head -n " + std::to_string(s.lines) + "; ";
  const double life = static_cast<double>(s.life.count()) / 1000;
  std::ostringstream text;
  switch (s.work) {
    case Work::exits:
      text << lines << "sleep " << life << "; exit " << s.exit_code;
      break;
    case Work::until_told:
      text << "trap \"exit 0\" TERM; " << lines << "while true; do sleep 0.1; done";
      break;
    case Work::deaf:
      text << "trap \"\" TERM; " << lines << "while true; do sleep 0.1; done";
      break;
    case Work::floods:
      text << "for n in $(seq " << s.bursts << "); do " << lines
           << "sleep 0.1; done; echo the last line";
      break;
    case Work::bad_command:
      return "/no/such/program";
    case Work::out_of_memory: {
      const std::string grow = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done";
      text << lines << "sleep " << life << "; ";
      if (s.exit_code == 137) {
        text << grow;
      } else {
        text << "( " << grow << " ); exit " << s.exit_code;
      }
    }
  }
  return "/bin/sh -c '" + text.str() + "'";
}

void add_sidecar(Variables& out) {
  for (const auto& [name, value] : {std::pair("BACKOFF", "300ms"),
                                    {"POLL_INTERVAL", "200ms"},
                                    {"RETRY_COUNT", "1"},
                                    {"RETRY_DELAY", "100ms"},
                                    {"MAX_FAILS", "2"},
                                    {"DRAINING_DURATION", "1s"}})
    out.emplace_back(std::string("EXECUTOR_SIDECAR_") + name, value);
}

void add_vault(const Scenario& s, Variables& out) {
  out.emplace_back("VAULT_USERNAME", "exec");
  out.emplace_back("VAULT_PASSWORD", secret(s, "password"));
  out.emplace_back("VAULT_CLIENT_TIMEOUT", "8s");
  if (s.seed % 2 == 0) out.emplace_back("EXECUTOR_AWS_ROLE", "app");
}

void add_syslog(const Scenario& s, const Places& places, Variables& out) {
  const std::string nobody = "127.0.0.1:9";
  out.emplace_back("EXECUTOR_RELAY_SYSLOG", "true");
  const auto add = [&out](const char* protocol, const std::string& address) {
    out.emplace_back("EXECUTOR_SYSLOG_PROTOCOL", protocol);
    out.emplace_back("EXECUTOR_SYSLOG_ADDR", address);
  };
  switch (s.syslog) {
    case Syslog::none:
      break;
    case Syslog::udp_nobody:
      return add("udp", nobody);
    case Syslog::tcp:
      return add("tcp", "127.0.0.1:" + std::to_string(places.collector_port));
    case Syslog::tcp_nobody:
      return add("tcp", nobody);
    case Syslog::unix_nobody:
      return add("unix", places.folder + "/nobody.sock");
  }
}

}  // namespace

sx_test::TaskBuilder task_of(const Scenario& s) {
  sx_test::TaskBuilder task(shell_of(s));
  task.docker()["network"] = "NONE";  // this dockerd has no bridge
  if (s.pull) {
    task.image(image_to_pull());
    task.docker()["force_pull_image"] = true;
  }
  if (s.sidecar != SidecarSays::nothing) {
    auto& parameters = task.docker()["parameters"].as_array();
    parameters.erase(
        std::remove_if(parameters.begin(), parameters.end(),
                       [](const auto& one) {
                         return one.at("value").as_string().starts_with("SidecarDiscover");
                       }),
        parameters.end());
  }
  if (s.work == Work::out_of_memory) task.memory(16);
  if (s.max_completion > 0) {
    task.object()["max_completion_time"] = {
        {"nanoseconds", static_cast<std::int64_t>(s.max_completion) * 1'000'000'000}};
  }
  if (s.vault == VaultGives::nothing) return task;
  task.executor_env("A_PLAIN_NAME", "vault://secret/torture");
  task.executor_env("ANOTHER", "vault://secret/torture?key=other");
  return task;
}

Variables environment_of(const Scenario& s, const Places& places) {
  const auto text = [](bool on) { return std::string(on ? "true" : "false"); };
  Variables out{{"EXECUTOR_KILL_TASK_TIMEOUT", std::to_string(s.kill_timeout)},
                {"EXECUTOR_DEBUG", text(s.debug)},
                {"EXECUTOR_REMOVE_CONTAINER", text(s.remove_container)},
                {"EXECUTOR_CONTAINER_LOGS_STDOUT", text(s.logs_to_stdout)}};
  if (s.work == Work::out_of_memory) out.emplace_back("EXECUTOR_FORCE_MEMORY_LIMIT", "true");
  if (!places.docker_host.empty()) out.emplace_back("DOCKER_HOST", places.docker_host);
  if (s.sidecar != SidecarSays::nothing) add_sidecar(out);
  if (s.vault != VaultGives::nothing) add_vault(s, out);
  if (s.syslog != Syslog::none) add_syslog(s, places, out);
  return out;
}

std::string vault_content(const Scenario& s) {
  const json::object content{
      {"userpass",
       {{"userpass", {{"exec", {{"password", secret(s, "password")}, {"ttl", 3600}}}}}}},
      {"aws", {{"aws", {{"app", {{"ttl", 3600}, {"security_token", true}}}}}}},
      {"kv1",
       {{"secret",
         {{"torture", {{"value", secret(s, "value")}, {"other", secret(s, "other")}}}}}}}};
  return json::serialize(content);
}

std::vector<std::string> secrets_of(const Scenario& s) {
  return {secret(s, "password"), secret(s, "value"), secret(s, "other")};
}

std::string image_to_pull() {
  const char* registry = std::getenv("SX_REGISTRY");
  return registry == nullptr ? "" : std::string(registry) + "/torture/image:1";
}

}  // namespace sx_torture
