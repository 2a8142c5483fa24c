#include <charconv>

#include "base/text.hpp"
#include "mesos/agent_session.hpp"
#include "mesos/duration.hpp"

namespace sidecar_executor::mesos {
namespace {

using Problems = std::vector<std::string>;

std::string required(const Lookup& lookup, std::string_view name, Problems& problems) {
  auto value = lookup(name);
  if (!value || value->empty()) {
    problems.push_back(std::string(name) +
                       " is not set: is this process started by a Mesos agent?");
    return {};
  }
  return *value;
}

void read_duration(const Lookup& lookup, std::string_view name, std::chrono::nanoseconds& into,
                   Problems& problems) {
  const auto text = lookup(name);
  if (!text || text->empty()) return;
  const auto value = parse_duration(*text);
  if (!value) {
    problems.push_back(std::string(name) + ": " + value.error().message);
  } else if (*value < std::chrono::nanoseconds(0)) {
    problems.push_back(std::string(name) + "=\"" + one_line(*text, 100) + "\" is negative");
  } else {
    into = *value;
  }
}

}  // namespace

LoadedAgentEnvironment load_agent_environment(const Lookup& lookup) {
  LoadedAgentEnvironment out;
  AgentEnvironment& env = out.environment;
  const std::string endpoint = required(lookup, "MESOS_AGENT_ENDPOINT", out.problems);
  env.identity.framework_id = required(lookup, "MESOS_FRAMEWORK_ID", out.problems);
  env.identity.executor_id = required(lookup, "MESOS_EXECUTOR_ID", out.problems);
  if (!endpoint.empty()) {
    auto address = net::parse_host_port(endpoint);
    if (address) {
      env.agent = *address;
    } else {
      out.problems.push_back("MESOS_AGENT_ENDPOINT: " + address.error().message);
    }
  }
  out.reachable = out.problems.empty();
  env.agent_id = lookup("MESOS_SLAVE_ID").value_or("");
  env.sandbox = lookup("MESOS_SANDBOX").value_or(lookup("MESOS_DIRECTORY").value_or(""));
  env.authentication_token = lookup("MESOS_EXECUTOR_AUTHENTICATION_TOKEN").value_or("");
  const std::string checkpoint = lookup("MESOS_CHECKPOINT").value_or("0");
  if (checkpoint != "0" && checkpoint != "1" && !checkpoint.empty()) {
    out.problems.push_back("MESOS_CHECKPOINT=\"" + one_line(checkpoint, 100) +
                           "\" is neither 0 nor 1");
  }
  env.checkpoint = checkpoint == "1";
  read_duration(lookup, "MESOS_RECOVERY_TIMEOUT", env.recovery_timeout, out.problems);
  read_duration(lookup, "MESOS_SUBSCRIPTION_BACKOFF_MAX", env.subscription_backoff_max,
                out.problems);
  read_duration(lookup, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", env.shutdown_grace, out.problems);
  return out;
}

}  // namespace sidecar_executor::mesos
