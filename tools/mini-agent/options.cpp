#include "options.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "option_table.hpp"

namespace mini_agent {

[[noreturn]] void bad(const std::string& value, const std::string& wanted) {
  throw UsageError("'" + value + "': expected " + wanted);
}

Nanoseconds duration(const std::string& text) {
  const auto parsed = parse_duration(text);
  if (!parsed) bad(text, "a time such as 0.5, 5secs, 250ms or 15mins");
  return *parsed;
}

long number(const std::string& text, long low, long high) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    bad(text, "a number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    result.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

namespace {

std::string state(const std::string& text) {
  if (!text.starts_with("TASK_")) bad(text, "a task state such as TASK_RUNNING");
  return text;
}

template <typename Owner>
Setter flag(bool Owner::* member, bool value = true) {
  if constexpr (std::is_same_v<Owner, Options>) {
    return [member, value](Options& o, const std::string&) { o.*member = value; };
  } else {
    return [member, value](Options& o, const std::string&) { o.faults.*member = value; };
  }
}

template <typename Owner, typename Value>
Setter seconds(Value Owner::* member) {
  return [member](Options& o, const std::string& text) {
    if constexpr (std::is_same_v<Owner, Options>) {
      o.*member = duration(text);
    } else {
      o.faults.*member = duration(text);
    }
  };
}

Setter text(std::string Options::* member) {
  return [member](Options& o, const std::string& value) { o.*member = value; };
}

Setter mesos_duration(std::string Options::* member) {
  return [member](Options& o, const std::string& value) {
    duration(value);
    o.*member = as_mesos_duration(value);
  };
}

Setter port(unsigned short Options::* member) {
  return [member](Options& o, const std::string& value) {
    o.*member = static_cast<unsigned short>(number(value, 0, 65535));
  };
}

void add_environment(Options& o, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == 0 || equals == std::string::npos) bad(value, "NAME=VALUE");
  o.environment.push_back(value);
}

std::vector<Option> executor_options() {
  return {
      {"--executor", "PATH", "the executor (default: sidecar-executor next to mini-agent)",
       text(&Options::executor)},
      {"--wrapper", "CMD", "run this by sh -c instead; it gets SIDECAR_EXECUTOR_PATH=<executor>",
       text(&Options::wrapper)},
      {"--env", "NAME=VALUE", "a variable for the executor, may be repeated", add_environment},
      {"--sandbox", "DIR", "use this folder (default: a new one below $TMPDIR/mini-agent)",
       text(&Options::sandbox)},
      {"--token", "TOKEN", "MESOS_EXECUTOR_AUTHENTICATION_TOKEN; calls without it get 401",
       [](Options& o, const std::string& value) { o.token = value; }},
      {"--no-executor", "", "start none: print the environment and wait for one",
       flag(&Options::spawn, false)},
      {"--timeout", "TIME", "after so long SIGKILL the executor and exit 70",
       seconds(&Options::timeout)}};
}

std::vector<Option> agent_options() {
  return {
      {"--checkpoint", "", "the framework checkpoints (default)", flag(&Options::checkpoint)},
      {"--no-checkpoint", "", "it does not", flag(&Options::checkpoint, false)},
      {"--recovery-timeout", "TIME", "MESOS_RECOVERY_TIMEOUT (15mins)",
       mesos_duration(&Options::recovery_timeout)},
      {"--backoff-max", "TIME", "MESOS_SUBSCRIPTION_BACKOFF_MAX (2secs)",
       mesos_duration(&Options::backoff_max)},
      {"--shutdown-grace", "TIME", "from SHUTDOWN to SIGKILL (5secs)",
       mesos_duration(&Options::shutdown_grace)},
      {"--heartbeat", "TIME", "between HEARTBEAT events (30mins)", seconds(&Options::heartbeat)},
      {"--capability", "NAME", "of the framework, may be repeated (TASK_KILLING_STATE)",
       [](Options& o, const std::string& value) { o.capabilities.push_back(value); }},
      {"--no-capabilities", "", "the framework has none, as Singularity",
       flag(&Options::no_capabilities)},
      {"--hostname", "NAME", "of the agent (default: this machine's)", text(&Options::hostname)},
      {"--domain-socket", "PATH", "serve executors there too: MESOS_DOMAIN_SOCKET",
       text(&Options::domain_socket)},
      {"--tls-cert", "FILE",
       "https, with this certificate; the executor needs --env LIBPROCESS_SSL_...",
       [](Options& o, const std::string& value) { o.tls.certificate = value; }},
      {"--tls-key", "FILE", "its key",
       [](Options& o, const std::string& value) { o.tls.key = value; }},
      {"--tls-client-ca", "FILE", "https clients must have a certificate of this authority",
       [](Options& o, const std::string& value) { o.tls.client_authority = value; }},
      {"--agent-port", "PORT", "default: a free one", port(&Options::agent_port)},
      {"--master-port", "PORT", "of the master's /slaves (default: a free one)",
       port(&Options::master_port)},
      {"--master-hostname", "NAME", "master_hostname in /state (127.0.0.1)",
       text(&Options::master_hostname)},
      {"--slaves", "N", "hosts in /slaves (1)",
       [](Options& o, const std::string& value) {
         o.slaves = static_cast<int>(number(value, 0, 1000000));
       }},
      {"--state-padding", "MB", "make /state so much bigger",
       [](Options& o, const std::string& value) { o.state_padding_mb = number(value, 0, 4096); }}};
}

std::vector<Option> framework_options() {
  return {{"--kill-after", "TIME", "KILL so long after the first TASK_RUNNING",
           seconds(&Options::kill_after)},
          {"--kill-grace", "TIME", "kill_policy of that KILL", seconds(&Options::kill_grace)},
          {"--kill-on", "STATE", "KILL when an update of this state arrives",
           [](Options& o, const std::string& value) { o.kill_on = state(value); }},
          {"--kill-at-launch", "", "KILL right after LAUNCH", flag(&Options::kill_at_launch)},
          {"--kill-before-launch", "", "KILL between SUBSCRIBED and LAUNCH",
           flag(&Options::kill_before_launch)},
          {"--kill-before-subscribe", "", "killed before: the first event is SHUTDOWN",
           flag(&Options::kill_before_subscribe)},
          {"--kill-task", "ID", "the task id in KILL (default: the task's)",
           text(&Options::kill_task_id)},
          {"--second-kill-after", "TIME", "another KILL so long after the first",
           seconds(&Options::second_kill_after)},
          {"--second-kill-grace", "TIME", "its kill_policy", seconds(&Options::second_kill_grace)},
          {"--shutdown-after", "TIME", "SHUTDOWN so long after the first TASK_RUNNING",
           seconds(&Options::shutdown_after)},
          {"--shutdown-on", "STATE", "SHUTDOWN when an update of this state arrives",
           [](Options& o, const std::string& value) { o.shutdown_on = state(value); }},
          {"--message", "TEXT", "a framework MESSAGE with this data, after the first TASK_RUNNING",
           text(&Options::message)},
          {"--message-after", "TIME", "so long after it", seconds(&Options::message_after)},
          {"--after-launch", "", "count the -after times from LAUNCH instead",
           flag(&Options::after_launch)},
          {"--second-launch", "", "LAUNCH a second task after the first TASK_RUNNING",
           flag(&Options::second_launch)},
          {"--launch-group", "", "LAUNCH_GROUP instead of LAUNCH", flag(&Options::launch_group)}};
}

std::vector<Option> fault_options() {
  return {
      {"--ack-delay", "TIME", "acknowledge so late", seconds(&Faults::ack_delay)},
      {"--drop-acks", "N", "do not send the first N acknowledgements",
       [](Options& o, const std::string& v) { o.faults.drop_acks = number(v, 0, 1000000); }},
      {"--duplicate-acks", "", "send each twice", flag(&Faults::duplicate_acks)},
      {"--cut-record", "N", "disconnect in the middle of the Nth event",
       [](Options& o, const std::string& v) { o.faults.cut_record = number(v, 1, 1000000); }},
      {"--drip", "", "send events byte by byte", flag(&Faults::drip)},
      {"--drip-pause", "TIME", "between bytes (200us)", seconds(&Faults::drip_pause)},
      {"--merge-records", "", "several events in one chunk", flag(&Faults::merge_records)},
      {"--fault-on", "STATE", "the update that starts the next five (TASK_RUNNING)",
       [](Options& o, const std::string& v) { o.faults.at = state(v); }},
      {"--garbage-record", "", "an event that is not JSON", flag(&Faults::garbage_record)},
      {"--garbage-length", "", "a record whose length is no number", flag(&Faults::garbage_length)},
      {"--oversized-record", "", "an event of 64 MiB and a byte", flag(&Faults::oversized_record)},
      {"--disconnect", "", "close the event stream", flag(&Faults::disconnect)},
      {"--silent", "", "stop answering and heartbeats", flag(&Faults::silent)},
      {"--silent-for", "TIME", "only so long", seconds(&Faults::silent_for)},
      {"--disconnect-every", "TIME", "close the event stream again and again",
       seconds(&Faults::disconnect_every)},
      {"--refuse", "TIME", "refuse connections so long after each end of the event stream",
       seconds(&Faults::refuse)},
      {"--answer-503", "TIME", "after each (re)start answer 503 so long",
       seconds(&Faults::answer_503)},
      {"--restart-after", "TIME", "kill and restart the agent so long after LAUNCH",
       seconds(&Faults::restart_after)},
      {"--down", "TIME", "it is away so long (0.5)", seconds(&Faults::down)},
      {"--reregistration-timeout", "TIME", "the executor must be back so soon (2secs)",
       seconds(&Faults::reregistration_timeout)}};
}

std::vector<Option> output_options() {
  return {{"--json", "", "one JSON line for each update and event", flag(&Options::json)},
          {"--quiet", "", "only the summary", flag(&Options::quiet)},
          {"--tail", "", "show the end of the executor's stderr", flag(&Options::tail)},
          {"--help", "", "this text", flag(&Options::help)}};
}

struct Group {
  std::string_view title;
  std::vector<Option> options;
};

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {{"The executor", executor_options()},
                                         {"The agent and its master", agent_options()},
                                         {"What the framework does", framework_options()},
                                         {"A Sidecar", sidecar_options()},
                                         {"A Vault", vault_options()},
                                         {"Output", output_options()},
                                         {"Faults, for tests", fault_options()}};
  return all;
}

const Option& find(const std::string& name) {
  for (const Group& group : groups()) {
    for (const Option& option : group.options) {
      if (option.name == name) return option;
    }
  }
  throw UsageError("unknown option " + name);
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string name = arguments[i];
    if (!name.starts_with("-") || name == "-") {
      if (!options.task_path.empty()) throw UsageError("more than one TASK.json: " + name);
      options.task_path = name;
      continue;
    }
    std::optional<std::string> value;
    if (const auto equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.erase(equals);
    }
    const Option& option = find(name);
    if (option.argument.empty() == value.has_value() && option.argument.empty()) {
      throw UsageError(name + " takes no value");
    }
    if (!option.argument.empty() && !value) {
      if (i + 1 == arguments.size()) {
        throw UsageError(name + " needs " + std::string(option.argument));
      }
      value = arguments[++i];
    }
    try {
      option.set(options, value.value_or(""));
    } catch (const UsageError& error) {
      throw UsageError(name + ": " + error.what());
    }
  }
  if (options.tls.certificate.empty() != options.tls.key.empty()) {
    throw UsageError("--tls-cert and --tls-key go together");
  }
  if (options.task_path.empty() && !options.help) throw UsageError("no TASK.json given");
  if (options.capabilities.empty()) options.capabilities = {"TASK_KILLING_STATE"};
  if (options.no_capabilities) options.capabilities.clear();
  return options;
}

std::string usage() {
  std::string out =
      "usage: mini-agent [options] TASK.json\n\n"
      "Runs an executor on this machine exactly as a Mesos agent would. TASK.json is a TaskInfo.\n"
      "Ctrl-C: KILL, again: SHUTDOWN, again: SIGKILL. TIME: 0.5, 250ms, 5secs, 15mins.\n"
      "Exit code: 0 finished, 1 failed, 2 killed, 3 a call that a real agent would refuse,\n"
      "64 wrong options, 69 could not start, 70 --timeout passed.\n";
  for (const Group& group : groups()) {
    out += "\n" + std::string(group.title) + ":\n";
    for (const Option& option : group.options) {
      std::string left = "  " + std::string(option.name) + " " + std::string(option.argument);
      left.resize(std::max<std::size_t>(left.size() + 1, 34), ' ');
      out += left + std::string(option.help) + "\n";
    }
  }
  return out;
}

}  // namespace mini_agent
