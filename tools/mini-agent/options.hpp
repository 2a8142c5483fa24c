// The command line of mini-agent.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "faults.hpp"
#include "tls_files.hpp"
#include "vault_options.hpp"

namespace mini_agent {

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The stand-in Sidecar.
struct SidecarOptions {
  bool on = false;
  std::vector<int> statuses{0};          // of the services, one a poll, from the start again
  std::optional<Nanoseconds> bad_after;  // until then ALIVE
  std::optional<Nanoseconds> down_after;
  bool hang = false, fail = false, truncate = false, drip = false, html = false;
  long pad_mb = 0;
  std::string host;           // its name for this host; empty: TASK_HOST or the agent's
  unsigned drain_status = 0;  // of the answer to every drain; 0: as it is
};

struct Options {
  std::string task_path;

  // The executor.
  std::string executor;                  // empty: sidecar-executor next to our own binary
  std::string wrapper;                   // run by `sh -c` instead of the executor
  bool spawn = true;                     // false: somebody else starts the executor (tests)
  std::string sandbox;                   // empty: a new folder
  std::vector<std::string> environment;  // NAME=VALUE, given last, so it wins
  std::optional<std::string> token;

  // The agent.
  bool checkpoint = true;
  std::string recovery_timeout = "15mins";
  std::string backoff_max = "2secs";
  std::string shutdown_grace = "5secs";
  std::vector<std::string> capabilities;  // default TASK_KILLING_STATE
  bool no_capabilities = false;
  Nanoseconds heartbeat = std::chrono::minutes(30);
  std::string hostname;  // empty: this machine's name
  std::string domain_socket;
  TlsFiles tls;  // certificate not empty: the agent's endpoint is https

  // The master.
  std::string master_hostname = "127.0.0.1";
  int slaves = 1;
  unsigned short master_port = 0, agent_port = 0;
  long state_padding_mb = 0;

  // What the framework does. "After" counts from the first TASK_RUNNING, or from LAUNCH.
  std::optional<Nanoseconds> kill_after, kill_grace, second_kill_after, second_kill_grace;
  std::optional<Nanoseconds> shutdown_after, message_after;
  bool kill_at_launch = false, kill_before_launch = false, kill_before_subscribe = false;
  std::string kill_on, shutdown_on, kill_task_id;
  std::string message;
  bool after_launch = false, second_launch = false, launch_group = false;

  // Output.
  bool json = false, quiet = false, tail = false, help = false;
  std::optional<Nanoseconds> timeout;

  Faults faults;
  SidecarOptions sidecar;
  VaultOptions vault;
};

// Throws UsageError with a text for the operator.
Options parse_options(const std::vector<std::string>& arguments);
std::string usage();

}  // namespace mini_agent
