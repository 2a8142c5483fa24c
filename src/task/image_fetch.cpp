#include "task/image_fetch.hpp"

#include <boost/asio/this_coro.hpp>
#include <random>

#include "base/go_duration.hpp"
#include "base/timeouts.hpp"
#include "docker/credential_helper.hpp"
#include "docker/host_files.hpp"
#include "docker/progress.hpp"
#include "docker/registry_auth.hpp"
#include "task/docker_return.hpp"
#include "task/phase_clock.hpp"

namespace sidecar_executor::task {
using SteadyClock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

namespace {

/// 75 to 125 %: the agents of a cluster must not come back to a registry in step.
nanoseconds jittered(nanoseconds wait) {
  static std::minstd_rand random(std::random_device{}());
  return wait * std::uniform_int_distribution<int>(75, 125)(random) / 100;
}

}  // namespace

asio::awaitable<Result<std::string>> ImageFetch::run() {
  const auto image = docker::parse_image_ref(in_.image);
  if (!image) co_return image.error();
  if (!in_.force_pull) {
    const auto digest = co_await present(*image);
    if (!digest) co_return digest.error();
    if (*digest) co_return **digest;
  }
  auto digest = co_await pull(*image);
  if (digest && digest->empty() && engine_.is_podman()) {  // which does not say it with the pull
    const auto pulled = co_await engine_.inspect_image(image->full(), cancellation_);
    if (pulled) digest = image->digest_among(pulled->repo_digests);
  }
  co_return digest;
}

/// The digest of the image that is there; nothing: it has to be pulled. Error: Docker is away. Any
/// other answer that does not tell is no reason not to pull.
asio::awaitable<Result<std::optional<std::string>>> ImageFetch::present(
    const docker::ImageRef& image) {
  std::optional<std::string> digest;
  for (DockerReturn docker(tools_);;) {
    const auto found = co_await engine_.inspect_image(image.full(), cancellation_);
    if (found && is_right(image, *found)) digest = image.digest_among(found->repo_digests);
    if (found || cancellation_.cancelled()) co_return digest;
    const Error& error = found.error();
    if (error.kind == ErrorKind::not_found) co_return digest;
    if (!is_no_answer(error)) {
      log_.warning("Cannot tell whether the image is present, pulling it",
                   {{"error", error.message}});
      co_return digest;
    }
    const auto back =
        co_await docker.wait(error.during("look for image", image.full()), cancellation_);
    if (!back) co_return back.error();
  }
}

/// A host may hold the image for another platform under the same name.
bool ImageFetch::is_right(const docker::ImageRef& image, const docker::ImageSummary& present) {
  const auto& of = present.platform;
  if (!in_.platform.empty() && !docker::is_platform(of, in_.platform)) {
    log_.info(
        "Image is present for another platform, pulling the one that is wanted",
        {{"image", image.full()}, {"wanted", in_.platform}, {"present", docker::to_text(of)}});
    return false;
  }
  log_.info("Image is present, not pulled", {{"image", image.full()}, {"id", present.id}});
  return true;
}

asio::awaitable<Result<std::string>> ImageFetch::pull(const docker::ImageRef& image) {
  const std::string auth = co_await registry_credentials(image);
  nanoseconds wait = jittered(timeouts::pull_first_retry);
  PhaseClock clock(phases_, "pull");
  for (int number = 1;; ++number) {
    if (cancellation_.cancelled()) co_return cancelled("pull");
    const auto pulled = co_await attempt(image, auth);
    if (pulled) co_return pulled;
    if (cancellation_.cancelled()) co_return cancelled("pull");
    Error error = pulled.error().during("pull image", image.full());
    const bool hopeless = docker::pull_is_hopeless(pulled.error());
    if (hopeless || number == timeouts::pull_attempts) {
      if (!hopeless) error.message += "; gave up after " + std::to_string(number) + " attempts";
      co_return error;
    }
    log_.warning("Pull failed, retrying", {{"image", image.full()},
                                           {"attempt", std::to_string(number)},
                                           {"in", format_for_people(wait)},
                                           {"error", pulled.error().message}});
    const auto ready = co_await pause(error, wait);
    if (!ready) co_return ready.error();
    wait = jittered(wait * 2);
  }
}

/// Before the next attempt. A daemon that restarts takes longer than all attempts together.
asio::awaitable<Result<void>> ImageFetch::pause(const Error& error, nanoseconds wait) {
  if (!co_await net::sleep_for(wait, cancellation_)) co_return cancelled("pull");
  if (!is_no_answer(error)) co_return boost::system::in_place_value;
  DockerReturn docker(tools_);
  co_return co_await docker.wait(error, cancellation_);
}

asio::awaitable<Result<std::string>> ImageFetch::attempt(const docker::ImageRef& image,
                                                         const std::string& auth) {
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
  const auto pulled =
      co_await engine_.pull(image, auth, progress, say_progress, cancellation_, in_.platform);
  if (!pulled) co_return pulled.error();
  log_.info("Image pulled", {{"image", image.full()},
                             {"took", format_for_people(SteadyClock::now() - began)},
                             {"progress", progress.describe()},
                             {"digest", progress.digest()}});
  co_return progress.digest();
}

/// The first helper that knows something; empty when none does.
asio::awaitable<std::string> ImageFetch::ask_helpers(
    std::vector<docker::CredentialHelper> helpers) {
  const auto executor = co_await boost::asio::this_coro::executor;
  for (const auto& helper : helpers) {
    const auto said = co_await docker::ask_credential_helper(executor, helper, cancellation_);
    const auto header = said ? docker::auth_of_helper(helper, *said) : said;
    if (header) {
      log_.info("Registry credentials found",
                {{"source", helper.source}, {"helper", "docker-credential-" + helper.name}});
      co_return *header;
    }
    if (cancellation_.cancelled()) break;
    if (header.error().kind == ErrorKind::not_found) {
      log_.debug(header.error().message);
    } else {
      log_.warning("Credential helper is of no use, ignoring",
                   {{"source", helper.source}, {"error", header.error().message}});
    }
  }
  co_return "";
}

asio::awaitable<std::string> ImageFetch::registry_credentials(docker::ImageRef image) {
  // Docker Hub's credentials, the default, are nothing to send to another registry.
  const bool only_default = in_.docker_repository == Settings().docker_repository;
  const std::string repository =
      only_default && image.registry() != "docker.io" ? image.registry() : in_.docker_repository;
  auto found = docker::find_registry_auth(repository, image.registry(),
                                          docker::docker_config_paths(in_.environment),
                                          docker::read_host_file);
  for (const auto& warning : found.warnings) log_.warning(warning);
  auto by_helper = co_await ask_helpers(found.helpers);
  if (!by_helper.empty()) co_return by_helper;
  if (found.header.empty()) {
    log_.warning("No registry credentials match, pulling without",
                 {{"DockerRepository", repository}, {"registry", image.registry()}});
  } else {
    log_.info("Registry credentials found", {{"source", found.source}});
  }
  co_return found.header;
}

}  // namespace sidecar_executor::task
