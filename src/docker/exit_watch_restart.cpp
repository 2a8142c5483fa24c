// An end, or the middle of somebody's `docker restart`? Between its stop and its start the
// container looks ended, with any exit code, and while Docker starts it no inspect is answered:
// dockerd holds the container's lock all the time.
#include <algorithm>
#include <csignal>
#include <utility>

#include "docker/exit_watch.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::docker {
using std::chrono::steady_clock;
using WallClock = std::chrono::system_clock;

void ExitWatch::hear(int exit_code) {
  told_ = Told{exit_code, steady_clock::now(), WallClock::now(), end_expected_};
  restart_.reset();
  silent_ = false;
  away_ = false;
}

/// Docker has had its time to tell more than the exit code. A start in the middle of which we may
/// be has as long as any; not longer, a daemon may hang for ever. One that is away starts nothing.
bool ExitWatch::heard_enough() const {
  if (!told_) return false;
  const bool may_start = !told_->asked_for && !away_ && restart_.value_or(silent_);
  return steady_clock::now() - told_->at >= (may_start ? limits_.start : limits_.details);
}

void ExitWatch::ended_as_told() {
  log_.warning("Docker does not answer, details of the exit are unknown");
  ContainerExit exit;
  exit.exit_code = told_->exit_code;
  exit.log_end = told_->clock;
  ended(std::move(exit));
}

asio::awaitable<Result<ContainerState>> ExitWatch::inspect() {
  const auto answered = std::make_shared<net::Cancellation>();
  if (told_ && !told_->asked_for && !restart_) net::spawn(executor_, ask_why(answered));
  const auto document = co_await engine_.inspect(id_);
  answered->cancel();
  if (!document) co_return document.error();
  co_return parse_inspect(*document);
}

/// Only of a Docker on this host: `now` has to be by its clock. And soon: it remembers its last 256
/// events, of which the health checks of a full host make that many in seconds.
asio::awaitable<void> ExitWatch::ask_why(CancellationPtr answered) {
  const auto began = parse_docker_time(run_.started_at);
  if (!began || !engine_.is_local()) co_return;
  if (!co_await net::sleep_for(limits_.silence, *answered)) co_return;
  const auto signs = co_await engine_.signs_of(id_, *began, WallClock::now());
  if (signs && !answered->cancelled()) restart_ = signs->signalled && !signs->out_of_memory;
}

/// Only an end that nobody asked for is worth a second look, once, and only when Docker sent it a
/// signal: the others are not held up. An engine that does not tell (a proxy may forbid it) leaves
/// the exit code to judge by.
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

}  // namespace sidecar_executor::docker
