#include <charconv>

#include "base/text.hpp"
#include "mesos/agent_session.hpp"
#include "mesos/duration.hpp"
#include "net/tls.hpp"

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

/// libprocess takes 1, true and t as yes.
bool is_on(const std::optional<std::string>& value) {
  const std::string text = to_lower(value.value_or(""));
  return text == "1" || text == "true" || text == "t";
}

/// net names the file or folder; an operator set a variable.
std::string variable_of(const net::TlsSettings& tls, const std::string& message) {
  const std::pair<std::string, const char*> all[] = {
      {tls.ca_file, "LIBPROCESS_SSL_CA_FILE"},
      {tls.ca_dir, "LIBPROCESS_SSL_CA_DIR"},
      {tls.certificate_file, "LIBPROCESS_SSL_CERT_FILE"},
      {tls.key_file, "LIBPROCESS_SSL_KEY_FILE"}};
  for (const auto& [value, variable] : all) {
    if (!value.empty() && message.find(" " + value + " ") != std::string::npos) return variable;
  }
  return "LIBPROCESS_SSL_*";
}

/// https to the agent, as libprocess' own clients do it (LIBPROCESS_SSL_*).
void read_tls(const Lookup& lookup, net::Address& agent, Problems& problems) {
  if (!is_on(lookup("LIBPROCESS_SSL_ENABLED"))) return;
  net::TlsSettings tls;
  tls.ca_file = lookup("LIBPROCESS_SSL_CA_FILE").value_or("");
  tls.ca_dir = lookup("LIBPROCESS_SSL_CA_DIR").value_or("");
  tls.certificate_file = lookup("LIBPROCESS_SSL_CERT_FILE").value_or("");
  tls.key_file = lookup("LIBPROCESS_SSL_KEY_FILE").value_or("");
  // VERIFY_CERT is the older name; REQUIRE_CERT means verify, whatever that says. Mesos' default is
  // not to verify.
  const auto newer = lookup("LIBPROCESS_SSL_VERIFY_SERVER_CERT");
  tls.verify = is_on(newer ? newer : lookup("LIBPROCESS_SSL_VERIFY_CERT")) ||
               is_on(lookup("LIBPROCESS_SSL_REQUIRE_CERT"));
  auto context = net::TlsContext::make(tls);
  if (!context) {
    const std::string& why = context.error().message;
    problems.push_back(variable_of(tls, why) + ": " + why);
    return;
  }
  agent.tls = true;
  agent.tls_context = *context;
}

/// MESOS_DOMAIN_SOCKET: the path holds the agent's libprocess id, or the agent answers 403.
void read_domain_socket(const Lookup& lookup, AgentEnvironment& env, Problems& problems) {
  const std::string socket = lookup("MESOS_DOMAIN_SOCKET").value_or("");
  if (socket.empty()) return;
  const std::string pid = lookup("MESOS_SLAVE_PID").value_or("");
  const auto at = pid.find('@');
  if (at == std::string::npos || at == 0) {
    problems.push_back("MESOS_SLAVE_PID=\"" + one_line(pid, 100) +
                       "\" is not id@host:port, which MESOS_DOMAIN_SOCKET needs");
    return;
  }
  env.agent.unix_path = socket;
  env.path = "/" + pid.substr(0, at) + "/api/v1/executor";
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
  read_tls(lookup, env.agent, out.problems);
  read_domain_socket(lookup, env, out.problems);
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
