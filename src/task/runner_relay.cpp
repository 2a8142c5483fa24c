// The part of the runner that brings the container's log to where it is wanted: the relay beside a
// running container, the copy into the sandbox at its end.
#include <algorithm>

#include "base/go_duration.hpp"
#include "task/log_copy.hpp"
#include "task/phase_clock.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::task {

/// Once it is known what the container is. Nothing about it may delay or end anything else: it is a
/// coroutine of its own, and its troubles are log lines.
void Runner::begin_relay() {
  if (!relays(config_.settings)) return;
  if (container_.log_driver == "none") {
    log_.warning(
        "The container has the log driver none: Docker keeps no log that could be relayed");
    return;
  }
  relay_.emplace(loop_.get_executor(), engine_, log_, config_.settings, container_, labels());
  spawn(relay_->run());
}

/// The relay and the copy share the limit and go on at the same time. Only what the relay may have
/// brought to stdout is waited for first, for half of the limit: while the collector takes nothing
/// the copy is the only place where a container's last words can be read.
asio::awaitable<void> Runner::flush_logs(bool copy, Nanoseconds limit) {
  // The machine's own timer has the same limit: its update would be without what is told here.
  constexpr auto before_the_timer = std::chrono::milliseconds(50);
  const auto until = std::chrono::steady_clock::now() + limit - before_the_timer;
  const auto left = [until] {
    return std::max<Nanoseconds>(until - std::chrono::steady_clock::now(), Nanoseconds(1));
  };
  bool in_stdout = false;
  if (relay_) in_stdout = co_await relay_->in_stdout(copy ? left() / 2 : left());
  if (in_stdout) {
    report_.logs_copied = true;
    report_.log_note = "relayed, and copied to this sandbox's stdout line by line";
  }
  if (copy && !container_.id.empty() && !in_stdout) co_await copy_container_logs(left());
  if (relay_) co_await relay_->finish(left());
}

asio::awaitable<void> Runner::copy_container_logs(Nanoseconds limit) {
  const PhaseClock clock(report_.phases, "logs");
  LogCopyRequest request;
  request.container_id = container_.id;
  request.since = config_.settings.logs_since;
  request.end = container_.finished_at;
  request.tty = container_.tty;
  request.limit = limit;
  request.folder = config_.agent.sandbox.empty() ? "." : config_.agent.sandbox;
  const LogCopyOutputs outputs{log_.output(), err_, out_pump_, err_pump_};
  const auto copied = co_await copy_logs(engine_, request, outputs, closing_cancel_);
  if (copied) {
    report_.logs_copied = copied->bytes > 0;
    report_.last_words = copied->tail;
    report_.log_note = "the last " + format_go_duration(config_.settings.logs_since) + " (" +
                       std::to_string(copied->bytes) +
                       " bytes) copied to this sandbox's stdout and stderr";
  } else {
    report_.last_error = copied.error().message;
    report_.log_note = "could not be copied: " + copied.error().message;
    log_.error("Logs could not be copied", {{"error", copied.error().message}});
  }
}

}  // namespace sidecar_executor::task
