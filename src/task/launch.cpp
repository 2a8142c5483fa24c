#include "task/launch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <random>
#include <system_error>

#include "base/go_duration.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "docker/registry_auth.hpp"

namespace sidecar_executor::task {
using SteadyClock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

namespace {

/// Adds the time since it was made as a phase.
class PhaseClock {
 public:
  PhaseClock(std::vector<PhaseTime>& phases, std::string name)
      : phases_(phases), name_(std::move(name)), began_(SteadyClock::now()) {}
  ~PhaseClock() { phases_.push_back({name_, took()}); }
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;
  [[nodiscard]] nanoseconds took() const { return SteadyClock::now() - began_; }

 private:
  std::vector<PhaseTime>& phases_;
  std::string name_;
  SteadyClock::time_point began_;
};

Error cancelled(std::string_view step) {
  return {ErrorKind::cancelled, std::string(step) + " cancelled"};
}

Result<std::string> read_small_file(const std::string& path) {
  constexpr std::size_t limit = 1024 * 1024;  // a Docker config file is a few KB
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    return Error{absent ? ErrorKind::not_found : ErrorKind::invalid,
                 path + ": " + std::generic_category().message(errno)};
  }
  std::string bytes;
  std::string chunk(16 * 1024, '\0');
  ssize_t got = 0;
  while ((got = ::read(fd, chunk.data(), chunk.size())) > 0 && bytes.size() <= limit) {
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
  }
  const int error = errno;
  ::close(fd);
  if (got < 0)
    return Error{ErrorKind::invalid, path + ": " + std::generic_category().message(error)};
  if (bytes.size() > limit) return Error{ErrorKind::too_large, path + ": larger than 1 MiB"};
  return bytes;
}

/// 75 to 125 %: the agents of a cluster must not come back to a registry in step.
nanoseconds jittered(nanoseconds wait) {
  static std::minstd_rand random(std::random_device{}());
  return wait * std::uniform_int_distribution<int>(75, 125)(random) / 100;
}

/// The error with what to check, for the status message.
Error with_hint(Error error) {
  const std::string hint = docker_error_hint(error.message);
  if (!hint.empty()) error.message += " (" + hint + ")";
  return error;
}

/// Until Vault is spoken to, no vault:// text may reach a container as if it were the secret, and
/// no container may start without the credentials that it counts on.
std::optional<Error> needs_vault(const LaunchInputs& in) {
  if (!in.aws_role.empty()) {
    return Error{ErrorKind::invalid, "EXECUTOR_AWS_ROLE=" + one_line(in.aws_role, 200) +
                                         " needs Vault, which this version does not speak to"};
  }
  for (const auto& assignment : in.spec.env) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos) continue;
    const std::string_view value = std::string_view(assignment).substr(equals + 1);
    if (!value.starts_with("vault://")) continue;
    return Error{ErrorKind::invalid, "variable " + assignment.substr(0, equals) +
                                         " is a Vault secret (" + one_line(value, 200) +
                                         "), which this version cannot resolve"};
  }
  return std::nullopt;
}

}  // namespace

void throw_exception_from_error(const LaunchError& error, const boost::source_location& where) {
  sidecar_executor::throw_exception_from_error(error.error, where);
}

Launch::Launch(docker::Engine& engine, docker::ExitWatch& exit_watch, Log& log, LaunchInputs inputs,
               net::Cancellation& cancellation, std::vector<PhaseTime>& phases, Handlers handlers)
    : engine_(engine),
      exit_watch_(exit_watch),
      log_(log),
      in_(std::move(inputs)),
      cancellation_(cancellation),
      phases_(phases),
      handlers_(std::move(handlers)) {}

asio::awaitable<Launch::Outcome> Launch::run() {
  if (auto unresolved = needs_vault(in_)) co_return LaunchError{*unresolved, {}};
  auto reached = co_await reach_docker();
  if (!reached) co_return LaunchError{reached.error(), {}};
  auto image = co_await ensure_image();
  if (!image) co_return LaunchError{with_hint(image.error()), {}};
  const auto complete = co_await complete_spec();
  if (!complete) co_return LaunchError{complete.error(), {}};
  if (cancellation_.cancelled()) co_return LaunchError{cancelled("launch"), {}};
  log_environment();
  auto id = co_await create();
  if (!id) co_return LaunchError{with_hint(id.error()), {}};
  handlers_.on_created(*id);
  if (cancellation_.cancelled()) co_return co_await clean_up(*id, cancelled("launch"));
  auto started = co_await start(*id);
  if (!started) co_return co_await clean_up(*id, with_hint(started.error()));
  auto launched = co_await look(*id);
  // It was started: whatever inspect says, the exit watch knows when it ends.
  if (!launched) {
    log_.warning("The container was started but cannot be inspected",
                 {{"error", launched.error().message}});
    Launched unknown;
    unknown.container.id = *id;
    co_return unknown;
  }
  co_return std::move(*launched);
}

// ---- Docker there? -----------------------------------------------------------------------------

asio::awaitable<Result<void>> Launch::reach_docker() {
  if (engine_.negotiated()) co_return boost::system::in_place_value;
  const auto end = SteadyClock::now() + timeouts::docker_at_launch;
  nanoseconds wait = std::chrono::milliseconds(100);
  for (bool said = false;;) {
    const auto answer = co_await engine_.negotiate(&cancellation_);
    if (answer) {
      log_.info("Docker answers", {{"host", engine_.address().display()}, {"server", *answer}});
      co_return boost::system::in_place_value;
    }
    if (cancellation_.cancelled()) co_return cancelled("launch");
    if (SteadyClock::now() + wait > end) {
      Error error = answer.error().during("Docker is not reachable, DOCKER_HOST is",
                                          engine_.address().display());
      error.message += "; gave up after " + format_for_people(timeouts::docker_at_launch);
      co_return error;
    }
    if (!said) {
      log_.warning("Docker does not answer, retrying",
                   {{"host", engine_.address().display()}, {"error", answer.error().message}});
    }
    said = true;
    if (!co_await net::sleep_for(wait, cancellation_)) co_return cancelled("launch");
    wait = std::min<nanoseconds>(wait * 2, std::chrono::seconds(2));
  }
}

// ---- image -------------------------------------------------------------------------------------

asio::awaitable<Result<void>> Launch::ensure_image() {
  const auto image = docker::parse_image_ref(in_.spec.image);
  if (!image) co_return image.error();
  if (!in_.force_pull) {
    const auto present = co_await engine_.inspect_image(image->full(), cancellation_);
    if (present) {
      log_.info("Image is present, not pulled", {{"image", image->full()}, {"id", present->id}});
      co_return boost::system::in_place_value;
    }
    if (present.error().kind != ErrorKind::not_found) {
      log_.warning("Cannot tell whether the image is present, pulling it",
                   {{"error", present.error().message}});
    }
  }
  const std::string auth = registry_credentials(*image);
  nanoseconds wait = timeouts::pull_first_retry;
  PhaseClock clock(phases_, "pull");
  for (int attempt = 1;; ++attempt) {
    if (cancellation_.cancelled()) co_return cancelled("pull");
    auto pulled = co_await pull(*image, auth);
    if (pulled) co_return pulled;
    if (cancellation_.cancelled()) co_return cancelled("pull");
    const bool hopeless = docker::pull_is_hopeless(pulled.error());
    if (hopeless || attempt == timeouts::pull_attempts) {
      Error error = pulled.error().during("pull image", image->full());
      if (!hopeless) error.message += "; gave up after " + std::to_string(attempt) + " attempts";
      co_return error;
    }
    log_.warning("Pull failed, retrying", {{"image", image->full()},
                                           {"attempt", std::to_string(attempt)},
                                           {"in", format_for_people(wait)},
                                           {"error", pulled.error().message}});
    if (!co_await net::sleep_for(wait, cancellation_)) co_return cancelled("pull");
    wait = jittered(wait * 2);
  }
}

asio::awaitable<Result<void>> Launch::pull(const docker::ImageRef& image, const std::string& auth) {
  constexpr nanoseconds say_every = std::chrono::seconds(5);
  log_.info("Pulling image",
            {{"image", image.full()}, {"forced", in_.force_pull ? "true" : "false"}});
  const auto began = SteadyClock::now();
  auto said = began;
  docker::PullProgress progress;
  auto say_progress = [&] {
    if (SteadyClock::now() - said < say_every) return;
    said = SteadyClock::now();
    log_.info("Pulling image", {{"image", image.full()}, {"progress", progress.describe()}});
  };
  auto pulled = co_await engine_.pull(image, auth, progress, say_progress, cancellation_);
  if (pulled) {
    log_.info("Image pulled", {{"image", image.full()},
                               {"took", format_for_people(SteadyClock::now() - began)},
                               {"progress", progress.describe()},
                               {"digest", progress.digest()}});
  }
  co_return pulled;
}

std::string Launch::registry_credentials(const docker::ImageRef& image) {
  // Docker Hub's credentials, the default, are nothing to send to another registry.
  const bool only_default = in_.docker_repository == Settings().docker_repository;
  const std::string repository =
      only_default && image.registry() != "docker.io" ? image.registry() : in_.docker_repository;
  auto found = docker::find_registry_auth(
      repository, image.registry(), docker::docker_config_paths(in_.environment), read_small_file);
  for (const auto& warning : found.warnings) log_.warning(warning);
  if (found.header.empty()) {
    log_.warning("No registry credentials match, pulling without",
                 {{"DockerRepository", repository}, {"registry", image.registry()}});
  } else {
    log_.info("Registry credentials found", {{"source", found.source}});
  }
  return found.header;
}

/// Seeds are a convenience: a cluster that cannot be asked does not stop the launch.
asio::awaitable<Result<void>> Launch::complete_spec() {
  ExtraEnvironment extra;
  if (in_.seeds) {
    const auto hosts = co_await in_.seeds();
    if (hosts) {
      std::string joined;
      for (const auto& host : *hosts) joined += (joined.empty() ? "" : ",") + host;
      log_.info("Sidecar seeds found", {{"hosts", std::to_string(hosts->size())}});
      extra.emplace_back("SIDECAR_SEEDS", std::move(joined));
    } else if (!cancellation_.cancelled()) {
      log_.warning("Sidecar seeds cannot be found, launching without",
                   {{"error", hosts.error().message}});
    }
  }
  if (extra.empty()) co_return boost::system::in_place_value;
  auto spec = in_.make_spec(extra);
  if (!spec) co_return spec.error();
  in_.spec = std::move(*spec);
  co_return boost::system::in_place_value;
}

// ---- container ---------------------------------------------------------------------------------

void Launch::log_environment() const {
  log_.info("Docker Environment --------------------");
  for (const auto& assignment : in_.spec.env) log_.info(" * " + redact_assignment(assignment));
  log_.info("---------------------------------------");
}

asio::awaitable<Result<std::string>> Launch::create() {
  PhaseClock clock(phases_, "create");
  const std::string body = docker::create_body(in_.spec, in_.spec.env);
  for (bool leftover_removed = false;;) {
    auto created = co_await engine_.create(in_.spec.name, body);
    if (created) {
      for (const auto& warning : created->warnings)
        log_.warning("Docker warns", {{"text", warning}});
      log_.info("Container created", {{"id", created->id.substr(0, 12)}, {"name", in_.spec.name}});
      co_return created->id;
    }
    const Error error = created.error().during("create container", in_.spec.name);
    if (error.kind == ErrorKind::conflict && !leftover_removed) {
      auto removed = co_await remove_leftover();
      if (!removed) co_return removed.error();
      leftover_removed = true;
      continue;
    }
    // No answer: it may have been created all the same.
    if (error.kind == ErrorKind::timeout || error.kind == ErrorKind::unreachable) {
      auto found = co_await found_by_name();
      if (found) co_return found;
    }
    co_return error;
  }
}

/// A container of this task's name exists. One that does not run is removed; one that runs is
/// somebody's, and said to be.
asio::awaitable<Result<void>> Launch::remove_leftover() {
  const auto document = co_await engine_.inspect(in_.spec.name);
  if (!document) {
    if (document.error().kind == ErrorKind::not_found) co_return boost::system::in_place_value;
    co_return document.error().during("inspect container", in_.spec.name);
  }
  const auto state = docker::parse_inspect(*document);
  if (!state) co_return state.error().during("inspect container", in_.spec.name);
  if (state->running || state->restarting) {
    co_return Error{
        ErrorKind::conflict,
        "container " + state->id.substr(0, 12) + " (" + in_.spec.name +
            ") of the same task id still runs, its executor is gone; end it with: docker rm -f " +
            state->id.substr(0, 12)};
  }
  log_.warning("A container of the same task id is left over, removing it",
               {{"id", state->id.substr(0, 12)}, {"status", state->status}});
  auto removed = co_await engine_.remove(state->id, false);
  if (!removed)
    co_return removed.error().during("remove leftover container", state->id.substr(0, 12));
  co_return boost::system::in_place_value;
}

/// After a create without an answer. Only our own: the labels say which process made it.
asio::awaitable<Result<std::string>> Launch::found_by_name() {
  const auto document = co_await engine_.inspect(in_.spec.name);
  if (!document) co_return document.error();
  const auto state = docker::parse_inspect(*document);
  if (!state) co_return state.error();
  for (const auto& own : in_.spec.labels) {
    if (!own.first.starts_with("io.sidecar-executor.")) continue;
    bool same = false;
    for (const auto& label : state->labels) same = same || label == own;
    if (!same) co_return Error{ErrorKind::conflict, "a container of this name is not ours"};
  }
  log_.warning("Docker did not answer the create, but made the container",
               {{"id", state->id.substr(0, 12)}});
  co_return state->id;
}

asio::awaitable<Result<void>> Launch::start(const std::string& id) {
  PhaseClock clock(phases_, "start");
  const auto waiting = co_await exit_watch_.open(id);
  if (!waiting) {
    log_.warning("Docker's wait cannot be opened before the start",
                 {{"error", waiting.error().message}});
  }
  auto started = co_await engine_.start(id);
  if (started) {
    log_.info("Container started",
              {{"id", id.substr(0, 12)}, {"took", format_for_people(clock.took())}});
    co_return started;
  }
  const Error error = started.error().during("start container", id.substr(0, 12));
  if (error.kind != ErrorKind::timeout && error.kind != ErrorKind::unreachable) co_return error;
  // No answer: ask what became of it.
  const auto document = co_await engine_.inspect(id);
  const auto state = document ? docker::parse_inspect(*document)
                              : Result<docker::ContainerState>(document.error());
  if (state && (state->running || state->ended())) {
    log_.warning("Docker did not answer the start, but the container was started",
                 {{"status", state->status}});
    co_return boost::system::in_place_value;
  }
  co_return error;
}

asio::awaitable<Result<Launched>> Launch::look(const std::string& id) {
  auto document = co_await engine_.inspect(id);
  if (!document) co_return document.error();
  auto state = docker::parse_inspect(*document);
  if (!state) co_return state.error();
  auto data = docker::inspect_for_framework(*document);
  Launched launched;
  launched.container = std::move(*state);
  if (data) launched.data = std::move(*data);
  co_return launched;
}

/// The container exists but must not: removed, by force should it run after all.
asio::awaitable<LaunchError> Launch::clean_up(std::string id, Error error) {
  exit_watch_.close();
  nanoseconds wait = std::chrono::milliseconds(200);
  net::Cancellation never;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto removed = co_await engine_.remove(id, true);
    if (removed) {
      log_.info("Container that was not to run removed", {{"id", id.substr(0, 12)}});
      co_return LaunchError{std::move(error), {}};
    }
    log_.warning("Cannot remove the container, retrying",
                 {{"id", id.substr(0, 12)}, {"error", removed.error().message}});
    co_await net::sleep_for(wait, never);
    wait *= 2;
  }
  co_return LaunchError{std::move(error), id.substr(0, 12)};
}

}  // namespace sidecar_executor::task
