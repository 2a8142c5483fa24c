#include "task/container_start.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/go_duration.hpp"
#include "base/timeouts.hpp"
#include "base/wipe.hpp"
#include "task/phase_clock.hpp"

namespace sidecar_executor::task {
using docker::ContainerState;

namespace {

std::string id12(const std::string& id) { return id.substr(0, 12); }

/// The labels say which process made it.
bool is_ours(const ContainerState& state, const docker::ContainerSpec& spec) {
  for (const auto& own : spec.labels) {
    if (!own.first.starts_with("io.sidecar-executor.")) continue;
    bool same = false;
    for (const auto& label : state.labels) same = same || label == own;
    if (!same) return false;
  }
  return true;
}

/// Docker writes the year 1 for never.
bool ever_ran(const ContainerState& state) {
  const bool never = state.started_at.empty() || state.started_at.starts_with("0001-");
  return state.status != "created" || !never;
}

}  // namespace

// ---- create ------------------------------------------------------------------------------------

asio::awaitable<Result<std::string>> ContainerStart::create(const docker::ContainerSpec& spec) {
  PhaseClock clock(phases_, "create");
  const Secret body(docker::create_body(spec, spec.env));
  for (DockerReturn docker(tools_);;) {
    auto id = co_await create_once(spec, body.text(), true);
    if (id) co_return id;
    if (!is_no_answer(id.error())) {
      if (tells_nothing(id.error())) co_await remove_unsaid(spec);
      co_return id;
    }
    // No answer: it may have been created all the same.
    Error error = id.error();
    do {
      const auto back = co_await docker.wait(error, never_);
      if (!back) {
        error = back.error();
        error.message += "; a container of this name may be left over, it was not started";
        co_return error;
      }
      id = co_await own_container(spec);
    } while (!id && tells_nothing(id.error()));
    if (id) {
      log_.warning("Docker did not answer the create, but made the container", {{"id", id12(*id)}});
      co_return id;
    }
    const ErrorKind kind = id.error().kind;
    if (kind != ErrorKind::not_found && kind != ErrorKind::conflict) co_return id;
    if (cancellation_.cancelled()) co_return cancelled("launch");
  }
}

/// Something before Docker (504) or Docker itself failed; the container may be there all the same.
asio::awaitable<void> ContainerStart::remove_unsaid(const docker::ContainerSpec& spec) {
  const auto made = co_await own_container(spec);
  if (!made) co_return;
  co_await remove(*made);  // it says so when it cannot
}

asio::awaitable<Result<std::string>> ContainerStart::create_once(const docker::ContainerSpec& spec,
                                                                 std::string body,
                                                                 bool may_remove) {
  const auto created = co_await engine_.create(spec.name, body, spec.platform);
  if (created) {
    for (const auto& warning : created->warnings) log_.warning("Docker warns", {{"text", warning}});
    log_.info("Container created", {{"id", id12(created->id)}, {"name", spec.name}});
    co_return created->id;
  }
  Error error = created.error().during("create container", spec.name);
  if (error.kind != ErrorKind::conflict) co_return error;
  const auto taken_by = co_await state_of(spec.name);
  if (!taken_by) {
    if (taken_by.error().kind != ErrorKind::not_found) co_return taken_by.error();
    // Neither there nor free: it is being made or removed at this moment.
    error.kind = ErrorKind::timeout;
    co_return error;
  }
  if (is_ours(*taken_by, spec)) co_return taken_by->id;
  if (!may_remove) co_return error;
  const auto removed = co_await remove_leftover(*taken_by);
  if (!removed) co_return removed.error();
  co_return co_await create_once(spec, std::move(body), false);
}

/// A container of this task's name that another process made. One that does not run is removed; one
/// that runs is somebody's, and said to be.
asio::awaitable<Result<void>> ContainerStart::remove_leftover(ContainerState leftover) {
  const std::string id = id12(leftover.id);
  if (leftover.running || leftover.restarting) {
    co_return Error{ErrorKind::conflict,
                    "container " + id + " (" + leftover.name +
                        ") of the same task id still runs, its executor is gone; end it with: "
                        "docker rm -f " +
                        id};
  }
  log_.warning("A container of the same task id is left over, removing it",
               {{"id", id}, {"status", leftover.status}});
  const auto removed = co_await engine_.remove(leftover.id, false);
  if (!removed) co_return removed.error().during("remove leftover container", id);
  co_return boost::system::in_place_value;
}

/// After a create without an answer. Errors: not_found; conflict when it is somebody else's.
asio::awaitable<Result<std::string>> ContainerStart::own_container(
    const docker::ContainerSpec& spec) {
  const auto state = co_await state_of(spec.name);
  if (!state) co_return state.error();
  if (is_ours(*state, spec)) co_return state->id;
  co_return Error{ErrorKind::conflict, "a container of this name is not ours"};
}

asio::awaitable<Result<ContainerState>> ContainerStart::state_of(std::string id_or_name) {
  const auto document = co_await engine_.inspect(id_or_name);
  if (!document) co_return document.error().during("inspect container", id_or_name);
  auto state = docker::parse_inspect(*document);
  if (!state) co_return state.error().during("inspect container", id_or_name);
  co_return state;
}

// ---- networks ----------------------------------------------------------------------------------

asio::awaitable<Result<void>> ContainerStart::connect(
    std::string id, const std::vector<docker::NetworkRequest>& networks) {
  for (const auto& network : networks) {
    // Asked for a second time, it is connected once.
    for (DockerReturn docker(tools_);;) {
      if (cancellation_.cancelled()) co_return cancelled("launch");
      const auto connected = co_await engine_.connect_network(
          network.name, id, boost::json::serialize(network.endpoint), cancellation_);
      if (connected) break;
      const Error error = connected.error().during("connect network", network.name);
      if (!is_no_answer(error)) co_return error;
      const auto back = co_await docker.wait(error, cancellation_);
      if (!back) co_return back.error();
    }
    log_.info("Network connected", {{"network", network.name}});
  }
  if (cancellation_.cancelled()) co_return cancelled("launch");
  co_return boost::system::in_place_value;
}

// ---- start -------------------------------------------------------------------------------------

/// The wait is opened beside the start, which saves a round trip. A container that ends before
/// Docker took the wait is found ended by look(), which comes after both.
asio::awaitable<Result<void>> ContainerStart::start(std::string id) {
  using namespace asio::experimental::awaitable_operators;
  PhaseClock clock(phases_, "start");
  for (DockerReturn docker(tools_);;) {
    const auto both = co_await (engine_.start(id) && exit_watch_.open(id, cancellation_));
    const auto& [started, waiting] = both;
    if (started) {
      // A slow start holds it up (Docker does both under the container's lock): no news then.
      if (!waiting && waiting.error().kind != ErrorKind::timeout && !cancellation_.cancelled()) {
        log_.warning("Docker's wait cannot be opened", {{"error", waiting.error().message}});
      }
      log_.info("Container started", {{"id", id12(id)}, {"took", format_for_people(clock.took())}});
      co_return started;
    }
    const Error error = started.error().during("start container", id12(id));
    if (!is_no_answer(error)) co_return error;
    const auto was = co_await was_started(id, error, docker);
    if (!was) co_return was.error();
    if (*was) co_return boost::system::in_place_value;
    if (cancellation_.cancelled()) co_return cancelled("launch");
  }
}

/// After a start without an answer (`error`).
asio::awaitable<Result<bool>> ContainerStart::was_started(std::string id, Error error,
                                                          DockerReturn& docker) {
  // A daemon that hung may still have the request before it: looked at twice.
  for (bool sure = error.kind != ErrorKind::timeout;;) {
    const auto back = co_await docker.wait(error, never_);
    if (!back) co_return back.error();
    const auto state = co_await state_of(id);
    if (!state) {
      if (tells_nothing(state.error())) continue;
      co_return state.error();
    }
    if (ever_ran(*state)) {
      log_.warning("Docker did not answer the start, but the container was started",
                   {{"status", state->status}});
      co_return true;
    }
    if (std::exchange(sure, true)) co_return false;
  }
}

/// One that answers and cannot tell is asked for a second: the exit watch is yet to begin.
asio::awaitable<Result<Launched>> ContainerStart::look(std::string id) {
  constexpr auto pause = std::chrono::milliseconds(200);
  constexpr int attempts = 6;
  int wrong = 0;
  for (DockerReturn docker(tools_);;) {
    const auto document = co_await engine_.inspect(id, &cancellation_);
    if (!document && is_no_answer(document.error())) {
      const auto back = co_await docker.wait(document.error(), cancellation_);
      if (!back) co_return back.error();
      continue;
    }
    if (!document) {
      if (!tells_nothing(document.error()) || ++wrong == attempts) co_return document.error();
      if (!co_await net::sleep_for(pause, cancellation_)) co_return cancelled("launch");
      continue;
    }
    auto state = docker::parse_inspect(*document);
    if (!state) co_return state.error();
    auto data = docker::inspect_for_framework(*document);
    co_return Launched{std::move(*state), data ? std::move(*data) : std::string(), {}};
  }
}

// ---- remove ------------------------------------------------------------------------------------

asio::awaitable<Result<void>> ContainerStart::remove(std::string id) {
  constexpr int attempts = 5;
  std::chrono::nanoseconds wait = std::chrono::milliseconds(200);
  DockerReturn docker(tools_);
  for (int refused = 0;;) {
    const auto removed = co_await engine_.remove(id, true);
    if (removed) {
      log_.info("Container that was not to run removed", {{"id", id12(id)}});
      co_return removed;
    }
    const Error& error = removed.error();
    if (is_no_answer(error)) {
      const auto back = co_await docker.wait(error, never_);
      if (!back) co_return back;
      continue;
    }
    if (++refused == attempts) co_return error;
    log_.warning("Cannot remove the container, retrying",
                 {{"id", id12(id)}, {"error", error.message}});
    co_await net::sleep_for(wait, never_);
    wait *= 2;
  }
}

}  // namespace sidecar_executor::task
