#pragma once
// Pure: what one task of the torture does and what is done to it, made of a seed.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sx_torture {

using Ms = std::chrono::milliseconds;

/// What the container does.
enum class Work { exits, until_told, deaf, floods, bad_command, out_of_memory };

/// Something that a fault waits for. `asked`: dockerd has not got the request yet; `answered`: the
/// executor has not got the answer yet.
enum class Moment {
  launched,
  starting,
  image_asked,
  pull_asked,
  create_asked,
  create_answered,
  start_asked,
  start_answered,
  inspect_asked,
  running,
  logs_asked,
  stop_asked,
  stop_answered,
  ended  ///< the terminal update has come
};

/// What the harness does in the middle of a run.
enum class Harm {
  docker_cut,      ///< every connection to dockerd breaks
  docker_hang,     ///< nothing passes
  docker_slow,     ///< bytes trickle
  docker_refuse,   ///< connections break at once
  docker_garbage,  ///< the next answer is none, and the connection breaks
  docker_500,      ///< the next request is refused
  daemon_killed,   ///< SIGKILL, started again; containers live on
  daemon_stopped,  ///< SIGTERM, started again
  daemon_frozen,   ///< SIGSTOP, SIGCONT
  syslog_cut,
  syslog_hang,
  syslog_slow,
  syslog_refuse,
  syslog_garbage,   ///< the collector talks back
  executor_frozen,  ///< SIGSTOP, SIGCONT
  hang_up,          ///< SIGHUP
  terminate,        ///< SIGTERM
  interrupt,        ///< SIGINT
  user,             ///< SIGUSR1
  clock_forward,    ///< an hour, and back
  clock_back
};

struct Fault {
  Harm harm;
  Moment at;
  Ms after;   ///< since that moment; 0: before anything else happens
  Ms length;  ///< of what lasts
};

/// What mini-agent does, as its options; `name` is for people and for the count.
struct Switches {
  std::string name;
  std::vector<std::string> arguments;
};

enum class Limit { none, memory_16_mb, files_30, full_disk };
enum class Syslog { none, udp_nobody, tcp, tcp_nobody, unix_nobody };
enum class SidecarSays { nothing, healthy, unhealthy };
enum class VaultGives { nothing, secrets, no_secrets };

struct Scenario {
  std::uint64_t seed = 0;
  Work work = Work::exits;
  int exit_code = 0;  ///< of out_of_memory: 137 when it is the first process that is killed
  Ms life{0};         ///< of a container that ends by itself
  int lines = 0;
  int bursts = 1;          ///< how often that many lines; of floods
  int kill_timeout = 1;    ///< seconds
  int max_completion = 0;  ///< seconds; 0: none
  bool debug = false;
  bool pull = false;  ///< forced
  bool remove_container = false;
  bool logs_to_stdout = false;
  bool direct = false;  ///< without a proxy between executor and dockerd
  bool pressure =
      false;  ///< 16 MB of memory, a flood for syslog and 20 MB of Sidecar state at once
  Limit limit = Limit::none;
  Syslog syslog = Syslog::none;
  SidecarSays sidecar = SidecarSays::nothing;
  VaultGives vault = VaultGives::nothing;
  std::vector<Switches> switches;
  std::vector<Fault> faults;
  bool agent_lost = false;      ///< for good: nobody may hear of the end
  bool never_launched = false;  ///< the executor is told to go before it gets a task
  bool killed = false;          ///< by KILL or SHUTDOWN
};

/// What this machine can do.
struct Means {
  bool pull = false;             ///< there is a registry
  bool limit_memory = false;     ///< of the executor
  bool limit_container = false;  ///< dockerd enforces memory limits
  bool full_disk = false;        ///< a tmpfs can be mounted
  bool clock = false;            ///< there is an executor whose clock can be shifted
};

Scenario make_scenario(std::uint64_t seed, const Means& means);

bool stops(const Fault& fault);         ///< asks the executor to end its task
bool sets_clock(const Fault& fault);    ///< of the executor
bool runs_for_ever(const Scenario& s);  ///< unless it is stopped
bool any(const Scenario& s, bool (*is)(const Fault&));

/// Short names of what is done to the task, for the count.
std::vector<std::string> harms_of(const Scenario& scenario);
/// All of it, in lines.
std::string describe(const Scenario& scenario);
const char* name_of(Harm harm);
const char* name_of(Moment moment);
const char* name_of(Work work);

}  // namespace sx_torture
