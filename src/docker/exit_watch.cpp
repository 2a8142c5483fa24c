#include "docker/exit_watch.hpp"

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

asio::awaitable<Result<void>> ExitWatch::open(std::string container_id,
                                              net::Cancellation& cancellation) {
  id_ = std::move(container_id);
  wait_.close();  // of a start that failed, when the start is tried again
  if (cancellation.cancelled()) co_return Error{ErrorKind::cancelled, "cancelled"};
  const auto hook = cancellation.on_cancel([this] { wait_.close(); });
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
  while (!over()) {
    if (waiting_) co_await hear_wait();
    if (over()) co_return;
    const bool asked = std::exchange(asked_, false);
    const RunOf before = run_;
    // Inspect tells what wait does not: OOM, or that somebody restarted it.
    const Seen seen = co_await look();
    if (over()) co_return;
    if (seen == Seen::running) {
      co_await goes_on(before, asked);
    } else if (heard_enough()) {
      ended_as_told();
    } else {
      co_await look_again(seen);
    }
  }
}

/// After a pause. A Docker that cannot inspect the container may still tell of its end meanwhile.
asio::awaitable<void> ExitWatch::look_again(Seen seen) {
  blind_ = seen == Seen::refused && !told_ && co_await wait_for_the_end();
  if (!blind_ && !over()) co_await pause(failures_++);
}

asio::awaitable<void> ExitWatch::hear_wait() {
  std::optional<net::Deadline> look_then;
  if (std::exchange(blind_, false))
    look_then.emplace(executor_, backoff(failures_++), [this] { check_now(); });
  const auto code = co_await engine_.read_wait(wait_);
  waiting_ = false;
  if (over()) co_return;
  if (code) {
    hear(*code);
  } else if (!asked_) {
    log_.warning("Docker's wait for the container broke off, looking again",
                 {{"error", code.error().message}});
  }
}

asio::awaitable<void> ExitWatch::goes_on(const RunOf& before, bool asked) {
  const auto told = std::exchange(told_, std::nullopt);
  if (told && run_ != before) {
    log_.warning("The container was restarted by somebody else, the task goes on",
                 {{"exit_code", std::to_string(told->exit_code)}});
  } else if (told && short_waits_ == 0) {
    log_.warning("Docker's wait says that the container has ended, but it runs; waiting again",
                 {{"exit_code", std::to_string(told->exit_code)}});
  }
  if (run_ != before) short_waits_ = 0;
  co_await wait_again(asked);
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
  if (co_await wait_for_the_end()) {
    wait_failures_ = 0;
  } else if (!over()) {
    co_await pause(wait_failures_++);
  }
}

/// Not next-exit: it could have ended between the look and this call.
asio::awaitable<bool> ExitWatch::wait_for_the_end() {
  const auto opened = co_await engine_.open_wait(wait_, id_, "not-running");
  opened_at_ = steady_clock::now();
  co_return waiting_ = opened.has_value();
}

asio::awaitable<ExitWatch::Seen> ExitWatch::look() {
  const auto state = co_await inspect();
  if (over()) co_return Seen::unknown;
  if (!state && state.error().kind == ErrorKind::not_found) {
    ContainerExit exit;
    if (told_) exit.exit_code = told_->exit_code;
    exit.removed = true;
    ended(std::move(exit));
    co_return Seen::ended;
  }
  if (!state) {
    away_ = state.error().kind != ErrorKind::timeout;
    silent_ |= !away_;
    does_not_answer(state.error().message);
    co_return away_&& state.error().kind != ErrorKind::unreachable ? Seen::refused : Seen::unknown;
  }
  if (trouble_said_) log_.info("Docker answers again", {{"container", state->status}});
  trouble_said_ = false;
  if (state->running || state->restarting) co_return runs(*state);
  failures_ = 0;
  if (!state->ended() && !told_) co_return Seen::unknown;  // created, removing
  const Behind behind = co_await this->behind(*state);
  if (behind.may_be_a_restart) {
    if (over()) co_return Seen::unknown;
    if (!told_) hear(state->exit_code);
    restart_ = true;
    co_await checked_.wait(steady_clock::now() + limits_.restart);
    if (over()) co_return Seen::unknown;
    co_return co_await look();
  }
  ContainerExit exit;
  exit.exit_code = state->ended() ? state->exit_code : told_->exit_code;
  exit.oom_killed = state->oom_killed || behind.out_of_memory;
  exit.docker_error = state->error;
  exit.removed = state->status == "removing";  // docker rm -f marks it so before it kills
  if (engine_.is_local()) exit.finished_at = state->finished_at;
  exit.log_end = state->finished_at;
  exit.ran_for = state->ran_for;
  ended(std::move(exit));
  co_return Seen::ended;
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
  restart_.reset();
  silent_ = false;
  away_ = false;
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
  ContainerExit exit;
  exit.log_end = WallClock::now();
  if (!co_await net::sleep_for(limits_.wait_lead, *stop)) co_return;
  log_.warning("The container's process has ended and Docker has not said how, asking");
  check_now();
  if (!co_await net::sleep_for(limits_.code_unknown - limits_.wait_lead, *stop)) co_return;
  if (told_) co_return;  // it did, and run() asks whether that is all
  log_.error("The container's process has ended, Docker does not say how");
  ended(std::move(exit));
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
