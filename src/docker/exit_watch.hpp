#pragma once
// Notices the end of a container when it happens: Docker's wait call, opened beside the start, and
// a look after both, so that a container that lives 1 ms is not missed. A daemon that goes away
// never makes a running container dead: reconnect, inspect, go on waiting (behaviour.md 5). Where
// Docker's pids are ours, a pidfd on the container's process is a second witness.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/timeouts.hpp"
#include "docker/engine.hpp"
#include "docker/inspect.hpp"

namespace sidecar_executor::docker {

struct ContainerExit {
  std::optional<int> exit_code;
  bool oom_killed = false;
  bool removed = false;
  std::string docker_error;
  using WallTime = std::chrono::system_clock::time_point;
  std::optional<WallTime> finished_at;  ///< only of a Docker on this host: the same clock
  /// The end by Docker's clock, whoever's that is, else when we heard of it: for Docker's `since`.
  std::optional<WallTime> log_end;
  std::optional<std::chrono::nanoseconds> ran_for;  ///< by Docker's clock
};

class ExitWatch {
 public:
  struct Handlers {
    std::function<void(const ContainerExit&)> on_ended;     ///< once
    std::function<void(const ContainerState&)> on_running;  ///< Docker was asked, and it runs
  };

  /// Tests shorten them.
  struct Limits {
    net::Duration details = timeouts::exit_details;
    net::Duration silence = timeouts::exit_silence;
    net::Duration start = timeouts::docker_start;
    net::Duration wait_lead = timeouts::exit_wait_lead;
    net::Duration code_unknown = timeouts::exit_code_unknown;
    net::Duration restart = timeouts::exit_may_be_a_restart;
    net::Duration late_event = timeouts::exit_late_event;
    std::string proc = "/proc";
  };

  ExitWatch(asio::any_io_executor executor, Engine& engine, Log& log, Handlers handlers)
      : ExitWatch(std::move(executor), engine, log, std::move(handlers), Limits()) {}
  ExitWatch(asio::any_io_executor executor, Engine& engine, Log& log, Handlers handlers,
            Limits limits);

  /// Beside the start; ends with `cancellation`. An error is no reason not to start: run() then
  /// begins with a look.
  asio::awaitable<Result<void>> open(std::string container_id, net::Cancellation& cancellation);

  /// Until the container has ended or close(). Spawned once, after the start and open(); `started`
  /// is what Docker said of the container after both, as far as it is known.
  asio::awaitable<void> run(ContainerState started);

  /// Ask Docker now: somebody has reason to think that it ended.
  void check_now();

  /// We have asked for the end: an exit like Docker's stop is no restart by somebody else.
  void expect_end() { end_expected_ = true; }
  void close();

 private:
  enum class Seen {
    ended,
    running,
    unknown,
    refused  ///< Docker answered that it cannot tell
  };
  /// One run of the container; a restart by somebody else makes another.
  struct RunOf {
    int pid = 0;
    std::string started_at;
    bool operator==(const RunOf&) const = default;
  };
  using CancellationPtr = std::shared_ptr<net::Cancellation>;

  /// An end that may not be the last word: by wait, or by an inspect between a stop and a start.
  struct Told {
    int exit_code = 0;
    std::chrono::steady_clock::time_point at;
    ContainerExit::WallTime clock;
    bool asked_for = false;  ///< by us, before
  };

  asio::awaitable<void> hear_wait();
  asio::awaitable<void> look_again(Seen seen);
  void hear(int exit_code);
  [[nodiscard]] bool heard_enough() const;
  void ended_as_told();
  asio::awaitable<void> goes_on(const RunOf& before, bool asked);
  asio::awaitable<Seen> look();
  asio::awaitable<Result<ContainerState>> inspect();
  asio::awaitable<void> ask_why(CancellationPtr answered);
  Seen runs(const ContainerState& state);
  /// What the state alone does not tell of an end.
  struct Behind {
    bool may_be_a_restart = false;
    bool out_of_memory = false;
  };
  asio::awaitable<Behind> behind(ContainerState state);
  asio::awaitable<Engine::Signs> late_signs(Engine::WallTime since, Engine::WallTime until);
  void does_not_answer(const std::string& why);
  asio::awaitable<void> wait_again(bool asked);
  asio::awaitable<bool> wait_for_the_end();
  asio::awaitable<void> pause(int failures);
  void ended(ContainerExit exit);
  [[nodiscard]] bool over() const { return done_ || closed_.cancelled(); }

  void watch_process(const RunOf& run);
  asio::awaitable<void> witness(RunOf run, CancellationPtr stop);
  asio::awaitable<bool> confirmed(RunOf run, net::Cancellation& stop);
  void end_witness();

  asio::any_io_executor executor_;
  Engine& engine_;
  Log& log_;
  Handlers handlers_;
  Limits limits_;
  net::Cancellation closed_;
  net::HttpConnection wait_;
  net::Signal checked_;
  std::string id_;
  std::chrono::steady_clock::time_point opened_at_;
  RunOf run_;                // the last that Docker told of
  RunOf watched_;            // the one that has a witness, or was found to have none
  CancellationPtr witness_;  // ends the witness
  std::optional<Told> told_;
  std::optional<bool> restart_;  // whether that may be in the middle of one: Docker's events told
  bool silent_ = false;          // since then Docker let an inspect wait until we gave up
  bool away_ = false;            // the last inspect was not taken, or refused
  bool process_gone_ = false;
  bool waiting_ = false;  // the wait call is open
  bool asked_ = false;    // check_now() came
  bool blind_ = false;    // Docker cannot tell how it is: the wait is not all that is listened to
  bool done_ = false;
  bool end_expected_ = false;
  bool looked_twice_ = false;  // at an end that may be a restart
  bool paused_said_ = false;
  bool trouble_said_ = false;
  bool ghost_said_ = false;
  int failures_ = 0;       // of looks, in a row
  int wait_failures_ = 0;  // to open a wait, in a row
  int short_waits_ = 0;    // that ended soon although the container runs, in a row
};

}  // namespace sidecar_executor::docker
