#include "task/launch.hpp"

#include "base/text.hpp"
#include "base/wipe.hpp"
#include "docker/host_files.hpp"
#include "task/docker_return.hpp"
#include "task/image_fetch.hpp"
#include "task/launch_hint.hpp"

namespace sidecar_executor::task {

namespace {

/// The error with what to check, for the status message.
Error with_hint(Error error) {
  const std::string hint = launch_hint(error.message);
  if (!hint.empty()) error.message += " (" + hint + ")";
  return error;
}

}  // namespace

void throw_exception_from_error(const LaunchError& error, const boost::source_location& where) {
  sidecar_executor::throw_exception_from_error(error.error, where);
}

Launch::Launch(docker::Engine& engine, docker::ExitWatch& exit_watch, Log& log, LaunchInputs inputs,
               net::Cancellation& cancellation, Phases& phases, Handlers handlers)
    : tools_{engine, log, cancellation, phases, inputs.docker_patience},
      exit_watch_(exit_watch),
      in_(std::move(inputs)),
      container_(tools_, exit_watch),
      handlers_(std::move(handlers)) {}

/// Whatever step fails says what to check.
asio::awaitable<Launch::Outcome> Launch::run() {
  auto outcome = co_await all_steps();
  if (!outcome)
    co_return LaunchError{with_hint(outcome.error().error), outcome.error().may_still_run};
  co_return outcome;
}

asio::awaitable<Launch::Outcome> Launch::all_steps() {
  auto reached = co_await reach_docker();
  if (!reached) co_return LaunchError{reached.error(), {}};
  const auto honoured = check_parameters();
  if (!honoured) co_return LaunchError{honoured.error(), {}};
  ImageFetch image(tools_, {in_.spec.image, in_.force_pull, in_.environment, in_.docker_repository,
                            in_.spec.platform});
  const auto fetched = co_await image.run();
  if (!fetched) co_return LaunchError{fetched.error(), {}};
  const auto complete = co_await complete_spec();
  if (!complete) co_return LaunchError{complete.error(), {}};
  if (is_cancelled()) co_return LaunchError{cancelled("launch"), {}};
  log_environment();
  const auto made = docker::make_directories(in_.spec.directories);
  if (!made) co_return LaunchError{made.error(), {}};
  const auto resolved = co_await resolve_secrets();
  if (!resolved) co_return LaunchError{resolved.error(), {}};
  auto launched = co_await make_container();
  if (launched) launched->image_digest = *fetched;
  wipe(in_.spec.env);
  co_return launched;
}

asio::awaitable<Launch::Outcome> Launch::make_container() {
  for (bool again = false;; again = true) {
    const auto id = co_await container_.create(in_.spec);
    if (!id) co_return LaunchError{id.error(), {}};
    handlers_.on_created(*id);
    if (is_cancelled()) co_return co_await clean_up(*id, cancelled("launch"));
    const auto connected = co_await container_.connect(*id, in_.spec.more_networks);
    if (!connected) co_return co_await clean_up(*id, connected.error());
    const auto started = co_await container_.start(*id);
    if (started) co_return co_await look(*id);
    const bool left_over = started.error().kind == ErrorKind::conflict;
    if (!left_over || again) co_return co_await clean_up(*id, started.error());
    tools_.log.warning("Docker was ended amid the start, making the container anew",
                       {{"error", started.error().message}});
    const auto removed = co_await container_.remove(*id);
    if (!removed) co_return LaunchError{started.error(), id->substr(0, 12)};
  }
}

/// It was started: whatever inspect says, the exit watch knows when it ends.
asio::awaitable<Launched> Launch::look(std::string id) {
  auto launched = co_await container_.look(id);
  if (launched) co_return std::move(*launched);
  if (!is_cancelled()) {
    tools_.log.warning("The container was started but cannot be inspected",
                       {{"error", launched.error().message}});
  }
  Launched unknown;
  unknown.container.id = std::move(id);
  co_return unknown;
}

/// Docker ignores what is newer than itself in silence.
Result<void> Launch::check_parameters() {
  for (const auto& text : docker::unknown_to_docker(in_.spec.needs, tools_.engine.api_minor())) {
    if (in_.spec.strict) {
      return Error{ErrorKind::invalid, text + " (EXECUTOR_STRICT_PARAMETERS is true)"};
    }
    tools_.log.warning(text + ", ignoring");
    handlers_.on_warning(text + ", ignoring");
  }
  return boost::system::in_place_value;
}

asio::awaitable<Result<void>> Launch::reach_docker() {
  if (tools_.engine.negotiated()) co_return boost::system::in_place_value;
  const auto answer = co_await tools_.engine.negotiate(&tools_.cancellation);
  if (answer) {
    tools_.log.info("Docker answers",
                    {{"host", tools_.engine.address().display()}, {"server", *answer}});
    co_return boost::system::in_place_value;
  }
  const Error error = answer.error().during("Docker is not reachable, DOCKER_HOST is",
                                            tools_.engine.address().display());
  DockerReturn docker(tools_);
  co_return co_await docker.wait(error, tools_.cancellation);
}

/// Seeds are a convenience: a cluster that cannot be asked does not stop the launch.
asio::awaitable<Result<void>> Launch::complete_spec() {
  ExtraEnvironment extra;
  if (in_.seeds) {
    const auto hosts = co_await in_.seeds();
    if (hosts) {
      std::string joined;
      for (const auto& host : *hosts) joined += (joined.empty() ? "" : ",") + host;
      tools_.log.info("Sidecar seeds found", {{"hosts", std::to_string(hosts->size())}});
      extra.emplace_back("SIDECAR_SEEDS", std::move(joined));
    } else if (!is_cancelled()) {
      tools_.log.warning("Sidecar seeds cannot be found, launching without",
                         {{"error", hosts.error().message}});
    }
  }
  if (in_.aws_keys) {
    auto keys = co_await in_.aws_keys();
    if (!keys) co_return keys.error();
    for (auto& key : *keys) extra.push_back(std::move(key));
  }
  if (extra.empty()) co_return boost::system::in_place_value;
  auto spec = in_.make_spec(extra);
  for (auto& variable : extra) wipe(variable.second);
  if (!spec) co_return spec.error();
  in_.spec = std::move(*spec);
  co_return boost::system::in_place_value;
}

/// Secrets are in this process from here on until the container is started: one whose start failed
/// may have to be made anew.
asio::awaitable<Result<void>> Launch::resolve_secrets() {
  auto env = co_await in_.resolve(in_.spec.env);
  if (!env) co_return env.error();
  wipe(in_.spec.env);  // AWS keys are in it
  in_.spec.env = std::move(*env);
  if (!is_cancelled()) co_return boost::system::in_place_value;
  wipe(in_.spec.env);
  co_return cancelled("launch");
}

void Launch::log_environment() const {
  tools_.log.info("Docker Environment --------------------");
  for (const auto& assignment : in_.spec.env)
    tools_.log.info(" * " + docker::shown_variable(in_.spec, assignment));
  tools_.log.info("---------------------------------------");
}

/// The container exists but must not.
asio::awaitable<LaunchError> Launch::clean_up(std::string id, Error error) {
  exit_watch_.close();
  const auto removed = co_await container_.remove(id);
  co_return LaunchError{std::move(error), removed ? "" : id.substr(0, 12)};
}

}  // namespace sidecar_executor::task
