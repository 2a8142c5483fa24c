#include "docker/exit_watch.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/backoff.hpp"
#include "docker/process_watch.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::docker {
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using WallClock = std::chrono::system_clock;

namespace {

constexpr nanoseconds first_retry = std::chrono::milliseconds(100);
constexpr nanoseconds longest_retry = std::chrono::seconds(5);
/// A wait that ends sooner, though the container runs, is not opened again at once.
constexpr nanoseconds decent_wait = std::chrono::seconds(5);

nanoseconds backoff(int failures) { return doubled(first_retry, longest_retry, failures); }

}  // namespace

ExitWatch::ExitWatch(asio::any_io_executor executor, Engine& engine, Log& log, Handlers handlers,
                     Limits limits)
    : executor_(std::move(executor)),
      engine_(engine),
      log_(log),
      handlers_(std::move(handlers)),
      limits_(std::move(limits)),
      wait_(engine.connection(&closed_)),
      checked_(executor_) {}

void ExitWatch::close() {
  closed_.cancel();
  end_witness();
  checked_.raise();
}

void ExitWatch::check_now() {
  asked_ = true;
  wait_.close();  // ends the wait; run() looks
  checked_.raise();
}

asio::awaitable<Result<void>> ExitWatch::open(std::string container_id) {
  id_ = std::move(container_id);
  wait_.close();  // of a start that failed, when the start is tried again
  auto opened = co_await engine_.open_wait(wait_, id_, "next-exit");
  waiting_ = opened.has_value();
  opened_at_ = steady_clock::now();
  co_return opened;
}

asio::awaitable<void> ExitWatch::run(ContainerState started) {
  if (started.running) {
    run_ = {started.pid, started.started_at};
    watch_process(run_);
  } else {
    waiting_ = false;  // it may have ended before the wait was opened, then that never answers
  }
  std::optional<int> exit_code;  // as wait told it
  steady_clock::time_point told;
  while (!over()) {
    if (waiting_) {
      const auto code = co_await engine_.read_wait(wait_);
      waiting_ = false;
      if (over()) co_return;
      exit_code = code ? std::optional<int>(*code) : std::nullopt;
      told = steady_clock::now();
      if (!code && !asked_) {
        log_.warning("Docker's wait for the container broke off, looking again",
                     {{"error", code.error().message}});
      }
    }
    const bool asked = std::exchange(asked_, false);
    const RunOf before = run_;
    // Inspect tells what wait does not: OOM, or that somebody restarted it.
    const Seen seen = co_await look(exit_code);
    if (over()) co_return;
    if (seen == Seen::running) {
      if (exit_code && run_ != before) {
        log_.warning("The container was restarted by somebody else, the task goes on",
                     {{"exit_code", std::to_string(*exit_code)}});
      } else if (exit_code && short_waits_ == 0) {
        log_.warning("Docker's wait says that the container has ended, but it runs; waiting again",
                     {{"exit_code", std::to_string(*exit_code)}});
      }
      if (run_ != before) short_waits_ = 0;
      exit_code.reset();
      co_await wait_again(asked);
    } else if (exit_code && steady_clock::now() - told >= limits_.details) {
      log_.warning("Docker does not answer, details of the exit are unknown");
      ContainerExit exit;
      exit.exit_code = exit_code;
      ended(std::move(exit));
    } else {
      co_await pause(failures_++);
    }
  }
}

asio::awaitable<void> ExitWatch::pause(int failures) {
  co_await checked_.wait(steady_clock::now() + backoff(failures));
}

/// A proxy that cuts connections, or an engine whose wait answers at once, must not make us spin.
asio::awaitable<void> ExitWatch::wait_again(bool asked) {
  if (asked || steady_clock::now() - opened_at_ >= decent_wait) {
    short_waits_ = 0;
  } else if (short_waits_++ > 0) {
    co_await pause(short_waits_ - 2);
    if (over()) co_return;
  }
  // Not next-exit: it could have ended between the look and this call.
  const auto opened = co_await engine_.open_wait(wait_, id_, "not-running");
  waiting_ = opened.has_value();
  opened_at_ = steady_clock::now();
  if (opened) {
    wait_failures_ = 0;
  } else if (!over()) {
    co_await pause(wait_failures_++);
  }
}

asio::awaitable<ExitWatch::Seen> ExitWatch::look(std::optional<int> exit_code) {
  const auto document = co_await engine_.inspect(id_);
  if (over()) co_return Seen::unknown;
  if (!document && document.error().kind == ErrorKind::not_found) {
    ContainerExit exit;
    exit.exit_code = exit_code;
    exit.removed = true;
    ended(std::move(exit));
    co_return Seen::ended;
  }
  const auto state = document ? parse_inspect(*document) : Result<ContainerState>(document.error());
  if (!state) {
    does_not_answer(state.error().message);
    co_return Seen::unknown;
  }
  if (trouble_said_) log_.info("Docker answers again", {{"container", state->status}});
  trouble_said_ = false;
  if (state->running || state->restarting) co_return runs(*state);
  failures_ = 0;
  if (!state->ended() && !exit_code) co_return Seen::unknown;  // created, removing
  const Behind behind = co_await this->behind(*state);
  if (behind.may_be_a_restart) {
    if (over()) co_return Seen::unknown;
    co_await checked_.wait(steady_clock::now() + limits_.restart);
    if (over()) co_return Seen::unknown;
    co_return co_await look(exit_code);
  }
  ContainerExit exit;
  exit.exit_code = state->ended() ? state->exit_code : *exit_code;
  exit.oom_killed = state->oom_killed || behind.out_of_memory;
  exit.docker_error = state->error;
  exit.removed = state->status == "removing";  // docker rm -f marks it so before it kills
  if (engine_.is_local()) exit.finished_at = state->finished_at;
  exit.ran_for = state->ran_for;
  ended(std::move(exit));
  co_return Seen::ended;
}

/// Between the stop and the start of somebody's `docker restart` the container looks ended, with
/// any exit code. Only an end that nobody asked for is worth a second look, once, and only when
/// Docker sent it a signal: the others are not held up. An engine that does not tell (a proxy may
/// forbid it) leaves the exit code to judge by.
asio::awaitable<ExitWatch::Behind> ExitWatch::behind(ContainerState state) {
  Behind out;
  if (end_expected_ || looked_twice_ || state.oom_killed || state.status != "exited") co_return out;
  looked_twice_ = true;
  const bool killed = state.exit_code == 128 + SIGKILL;
  out.may_be_a_restart = killed || state.exit_code == 128 + SIGTERM;
  if (!state.finished_at || !state.ran_for) co_return out;
  const auto began = *state.finished_at - duration_cast<WallClock::duration>(*state.ran_for);
  // Docker notes the signal after it was sent; the program may have ended by then. Only on this
  // host is it known how late it is there. The clock may have been set back since.
  const auto until =
      engine_.is_local() ? std::max(WallClock::now(), *state.finished_at) : *state.finished_at;
  const auto told = co_await engine_.signs_of(id_, began, until);
  if (!told) co_return out;
  Engine::Signs signs = *told;
  if (killed && !signs.signalled && !signs.out_of_memory) signs = co_await late_signs(began, until);
  out.out_of_memory = signs.out_of_memory;
  out.may_be_a_restart = signs.signalled && !signs.out_of_memory;
  co_return out;
}

/// Nobody is known to have killed it. When the kernel did for its memory, Docker may hear of that
/// after the end (20 to 400 ms later, dockerd 20.10 on a busy machine): OOMKilled is then false for
/// ever, and only the event tells.
asio::awaitable<Engine::Signs> ExitWatch::late_signs(Engine::WallTime since,
                                                     Engine::WallTime until) {
  const auto late = duration_cast<WallClock::duration>(limits_.late_event);
  const auto signs = co_await engine_.signs_of(id_, since, until + late, limits_.late_event);
  co_return signs ? *signs : Engine::Signs();
}

void ExitWatch::does_not_answer(const std::string& why) {
  if (!trouble_said_) {
    log_.warning(process_gone_ ? "Docker does not answer, the container's process has ended; "
                                 "retrying to learn how"
                               : "Docker does not answer, the container is taken to run on; "
                                 "retrying",
                 {{"error", why}});
  }
  trouble_said_ = true;
}

ExitWatch::Seen ExitWatch::runs(const ContainerState& state) {
  const RunOf run{state.pid, state.started_at};
  if (process_gone_ && run == watched_) {
    if (!ghost_said_) {
      log_.warning("Docker says that the container runs, but its process has ended; asking again");
    }
    ghost_said_ = true;
    return Seen::unknown;
  }
  failures_ = 0;
  looked_twice_ = false;
  if (state.paused && !paused_said_) log_.warning("The container is paused by somebody else");
  paused_said_ = state.paused;
  run_ = run;
  watch_process(run);
  handlers_.on_running(state);
  return Seen::running;
}

void ExitWatch::ended(ContainerExit exit) {
  if (over()) return;
  done_ = true;
  end_witness();
  wait_.close();
  checked_.raise();
  handlers_.on_ended(exit);
}

// ---- the second witness ------------------------------------------------------------------------

void ExitWatch::watch_process(const RunOf& run) {
  if (!engine_.is_local() || run.pid <= 0 || run == watched_) return;
  end_witness();
  watched_ = run;
  process_gone_ = false;
  ghost_said_ = false;
  witness_ = std::make_shared<net::Cancellation>();
  net::spawn(executor_, witness(run, witness_));
}

void ExitWatch::end_witness() {
  if (const auto witness = std::exchange(witness_, nullptr)) witness->cancel();
}

asio::awaitable<void> ExitWatch::witness(RunOf run, CancellationPtr stop) {
  auto process = ProcessWatch::open(executor_, run.pid, id_, limits_.proc);
  if (!process) {
    log_.debug("No second witness of the container's end", {{"why", process.error().message}});
    co_return;
  }
  if (!co_await confirmed(run, *stop)) co_return;
  log_.debug("The container's process is watched too", {{"pid", std::to_string(run.pid)}});
  if (!co_await process->ended(*stop)) co_return;
  process_gone_ = true;
  if (!co_await net::sleep_for(limits_.wait_lead, *stop)) co_return;
  log_.warning("The container's process has ended and Docker has not said how, asking");
  check_now();
  if (!co_await net::sleep_for(limits_.code_unknown - limits_.wait_lead, *stop)) co_return;
  log_.error("The container's process has ended, Docker does not say how");
  ended({});
}

/// Pids are reused: only what Docker says after the pidfd was opened shows that it is the
/// container's.
asio::awaitable<bool> ExitWatch::confirmed(RunOf run, net::Cancellation& stop) {
  for (int failures = 0;; ++failures) {
    const auto document = co_await engine_.inspect(id_);
    if (stop.cancelled()) co_return false;
    const auto state =
        document ? parse_inspect(*document) : Result<ContainerState>(document.error());
    if (state && state->running && RunOf{state->pid, state->started_at} == run) co_return true;
    if (state || document || document.error().kind == ErrorKind::not_found) {
      log_.debug(
          "No second witness of the container's end",
          {{"why", "Docker does not name process " + std::to_string(run.pid) + " any more"}});
      co_return false;
    }
    if (!co_await net::sleep_for(backoff(failures), stop)) co_return false;
  }
}

}  // namespace sidecar_executor::docker
