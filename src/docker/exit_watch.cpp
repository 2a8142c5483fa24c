#include "docker/exit_watch.hpp"

#include <algorithm>

namespace sidecar_executor::docker {
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds first_retry = std::chrono::milliseconds(100);
constexpr nanoseconds longest_retry = std::chrono::seconds(5);
/// wait told the exit code; how long to ask for the rest (OOM, times) of a daemon that went away.
constexpr nanoseconds details_patience = std::chrono::seconds(10);

nanoseconds backoff(int failures) {
  return std::min(longest_retry, first_retry * (1 << std::min(failures, 6)));
}

}  // namespace

ExitWatch::ExitWatch(asio::any_io_executor executor, Engine& engine, Log& log, Handlers handlers)
    : engine_(engine),
      log_(log),
      handlers_(std::move(handlers)),
      wait_(engine.connection(&closed_)),
      checked_(executor) {}

void ExitWatch::close() {
  closed_.cancel();
  checked_.raise();
}

void ExitWatch::check_now() {
  asked_ = true;
  wait_.close();  // ends the wait; run() looks
  checked_.raise();
}

asio::awaitable<Result<void>> ExitWatch::open(std::string container_id) {
  id_ = std::move(container_id);
  auto opened = co_await engine_.open_wait(wait_, id_, "next-exit");
  waiting_ = opened.has_value();
  co_return opened;
}

asio::awaitable<void> ExitWatch::run() {
  while (!done_ && !closed_.cancelled()) {
    if (waiting_) {
      const auto code = co_await engine_.read_wait(wait_);
      waiting_ = false;
      if (closed_.cancelled()) co_return;
      if (code) {
        co_await after_wait(*code);
        continue;
      }
      if (!asked_) {
        log_.warning("Docker's wait for the container broke off, looking again",
                     {{"error", code.error().message}});
      }
    }
    asked_ = false;
    const Seen seen = co_await look(std::nullopt);
    if (seen == Seen::running) co_await wait_again();
    if (seen == Seen::unknown && !closed_.cancelled()) {
      co_await checked_.wait(std::chrono::steady_clock::now() + backoff(failures_++));
    }
  }
}

/// wait said how it ended. Inspect tells what wait does not: OOM, or that somebody restarted it.
asio::awaitable<void> ExitWatch::after_wait(int exit_code) {
  const auto patience = std::chrono::steady_clock::now() + details_patience;
  for (;;) {
    const Seen seen = co_await look(exit_code);
    if (done_ || closed_.cancelled()) co_return;
    if (seen == Seen::running) {
      log_.warning("The container was restarted by somebody else, the task goes on",
                   {{"exit_code", std::to_string(exit_code)}});
      co_await wait_again();
      co_return;
    }
    if (std::chrono::steady_clock::now() >= patience) {
      log_.warning("Docker does not answer, details of the exit are unknown");
      ContainerExit exit;
      exit.exit_code = exit_code;
      ended(std::move(exit));
      co_return;
    }
    co_await checked_.wait(std::chrono::steady_clock::now() + backoff(failures_++));
  }
}

asio::awaitable<void> ExitWatch::wait_again() {
  // Not next-exit: it could have ended between the look and this call.
  const auto opened = co_await engine_.open_wait(wait_, id_, "not-running");
  waiting_ = opened.has_value();
  if (!opened && !closed_.cancelled()) {
    co_await checked_.wait(std::chrono::steady_clock::now() + backoff(failures_++));
  }
}

asio::awaitable<ExitWatch::Seen> ExitWatch::look(std::optional<int> exit_code) {
  const auto document = co_await engine_.inspect(id_);
  if (closed_.cancelled()) co_return Seen::unknown;
  if (!document && document.error().kind == ErrorKind::not_found) {
    ContainerExit exit;
    exit.exit_code = exit_code;
    exit.removed = true;
    ended(std::move(exit));
    co_return Seen::ended;
  }
  const auto state = document ? parse_inspect(*document) : Result<ContainerState>(document.error());
  if (!state) {
    if (!trouble_said_) {
      log_.warning("Docker does not answer, the container is taken to run on; retrying",
                   {{"error", state.error().message}});
    }
    trouble_said_ = true;
    co_return Seen::unknown;
  }
  if (trouble_said_) log_.info("Docker answers again", {{"container", state->status}});
  trouble_said_ = false;
  failures_ = 0;
  if (state->running || state->restarting) {
    if (state->paused && !paused_said_) log_.warning("The container is paused by somebody else");
    paused_said_ = state->paused;
    handlers_.on_running(*state);
    co_return Seen::running;
  }
  if (!state->ended() && !exit_code) co_return Seen::unknown;  // created, removing
  ContainerExit exit;
  exit.exit_code = state->ended() ? state->exit_code : *exit_code;
  exit.oom_killed = state->oom_killed;
  exit.docker_error = state->error;
  exit.removed = state->status == "removing";  // docker rm -f marks it so before it kills
  if (engine_.is_local()) exit.finished_at = state->finished_at;
  ended(std::move(exit));
  co_return Seen::ended;
}

void ExitWatch::ended(ContainerExit exit) {
  if (done_) return;
  done_ = true;
  handlers_.on_ended(exit);
}

}  // namespace sidecar_executor::docker
