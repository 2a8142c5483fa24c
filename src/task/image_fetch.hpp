#pragma once
// The image of the task: looked for, and pulled when it is not there (behaviour.md 4.2).

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "base/settings.hpp"
#include "docker/image_ref.hpp"
#include "docker/registry_auth.hpp"
#include "task/launch_tools.hpp"

namespace sidecar_executor::task {

struct ImageInputs {
  std::string image;
  bool force_pull = false;
  Lookup environment;  ///< for Docker's config files
  std::string docker_repository;
  std::string platform;  ///< empty = the daemon's; one of another that is present does not count
};

class ImageFetch {
 public:
  ImageFetch(const LaunchTools& tools, ImageInputs inputs)
      : tools_(tools),
        engine_(tools.engine),
        log_(tools.log),
        cancellation_(tools.cancellation),
        phases_(tools.phases),
        in_(std::move(inputs)) {}

  /// The image's digest in the registry, empty when it never was in one. Ends at once when the
  /// launch is cancelled.
  asio::awaitable<Result<std::string>> run();

 private:
  asio::awaitable<Result<std::optional<std::string>>> present(const docker::ImageRef& image);
  bool is_right(const docker::ImageRef& image, const docker::ImageSummary& present);
  asio::awaitable<Result<std::string>> pull(const docker::ImageRef& image);
  asio::awaitable<Result<std::string>> attempt(const docker::ImageRef& image,
                                               const std::string& auth);
  asio::awaitable<Result<void>> pause(const Error& error, std::chrono::nanoseconds wait);
  asio::awaitable<std::string> registry_credentials(docker::ImageRef image);
  asio::awaitable<std::string> ask_helpers(std::vector<docker::CredentialHelper> helpers);

  LaunchTools tools_;
  docker::Engine& engine_;
  Log& log_;
  net::Cancellation& cancellation_;
  Phases& phases_;
  ImageInputs in_;
};

}  // namespace sidecar_executor::task
