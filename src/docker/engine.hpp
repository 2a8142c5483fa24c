#pragma once
// Docker Engine API, the calls that the executor makes (docker.md "Engine calls used"). Works from
// API 1.40 (Engine 19.03) on. Every call is bounded; long calls have connections of their own, so
// one that hangs blocks no other.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "base/timeouts.hpp"
#include "docker/image_platform.hpp"
#include "docker/image_ref.hpp"
#include "docker/progress.hpp"
#include "net/http_client.hpp"

namespace sidecar_executor::docker {

/// Where the daemon is: DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_API_VERSION.
/// Errors (invalid) name the variable.
struct EngineAddress {
  net::Address address;
  std::string api_version;  ///< DOCKER_API_VERSION; empty = negotiate
};
Result<EngineAddress> engine_address(const Lookup& environment);

struct CreatedContainer {
  std::string id;
  std::vector<std::string> warnings;
};

struct ImageSummary {
  std::string id;
  std::vector<std::string> repo_digests;
  ImagePlatform platform;
};

/// One row of GET /containers/json.
struct ContainerSummary {
  std::string id;
  std::string name;
  std::string image;
  std::string state;  ///< running, exited, ...
  std::chrono::system_clock::time_point created;
  std::vector<std::pair<std::string, std::string>> labels;

  /// Value of the label, empty when absent.
  [[nodiscard]] std::string label(std::string_view key) const;
};

/// How a stop or kill request ended, the idempotent outcomes told apart (one place).
enum class StopResult { done, already_ended, gone };

class Engine {
 public:
  /// How long the calls may take; tests shorten them.
  struct Limits {
    net::Duration call = timeouts::docker_call;
    net::Duration events = timeouts::docker_events;
    net::Duration create = timeouts::docker_create;
    net::Duration start = timeouts::docker_start;
    net::Duration stop_extra = timeouts::docker_stop_extra;
    net::Duration pull_idle = timeouts::docker_pull_idle;
  };

  Engine(asio::any_io_executor executor, EngineAddress where)
      : Engine(std::move(executor), std::move(where), Limits()) {}
  Engine(asio::any_io_executor executor, EngineAddress where, Limits limits);

  [[nodiscard]] const net::Address& address() const { return where_.address; }
  /// True when the daemon is on this host (a unix socket): same clock, same pids.
  [[nodiscard]] bool is_local() const { return where_.address.is_unix(); }

  /// Asks for the API version; later calls use it, until a Docker that took this one's place
  /// refuses it. What the daemon says it is.
  asio::awaitable<Result<std::string>> negotiate(net::Cancellation* cancellation = nullptr);
  [[nodiscard]] bool negotiated() const { return negotiated_; }
  /// 41 for API 1.41, once negotiated; 0 when the daemon does not say.
  [[nodiscard]] int api_minor() const;
  /// After negotiate(): Podman's Docker-compatible socket (docs/podman.md).
  [[nodiscard]] bool is_podman() const { return podman_; }

  asio::awaitable<Result<ImageSummary>> inspect_image(std::string image,
                                                      net::Cancellation& cancellation);

  /// One attempt. `progress` is fed as bytes come, `on_progress` called after each piece. Errors in
  /// the stream are errors.
  asio::awaitable<Result<void>> pull(const ImageRef& image, std::string auth_header,
                                     PullProgress& progress, std::function<void()> on_progress,
                                     net::Cancellation& cancellation, std::string platform = {});

  /// `platform`: `linux/arm64` (API 1.41); empty = the daemon's.
  asio::awaitable<Result<CreatedContainer>> create(std::string name, std::string body,
                                                   std::string platform = {});

  /// One network more for a container; `endpoint` is a member of EndpointsConfig, as JSON. One that
  /// it is in already is success.
  asio::awaitable<Result<void>> connect_network(std::string network, std::string id,
                                                std::string endpoint,
                                                net::Cancellation& cancellation);

  /// 304 (already started) is success. `conflict`: Docker cannot start this one any more, a new
  /// container it can.
  asio::awaitable<Result<void>> start(std::string id);

  /// The document as Docker sent it; docker/inspect.hpp reads it.
  asio::awaitable<Result<std::string>> inspect(std::string id,
                                               net::Cancellation* cancellation = nullptr);

  /// `condition`: next-exit or not-running. The answer's head is there when this returns; its body
  /// comes with the exit: read_wait().
  asio::awaitable<Result<void>> open_wait(net::HttpConnection& connection, std::string id,
                                          std::string condition);
  /// The exit code. Waits without limit; ends by the connection's close().
  asio::awaitable<Result<int>> read_wait(net::HttpConnection& connection);

  /// What the daemon's events tell of a container.
  struct Signs {
    bool signalled = false;      ///< somebody had Docker send it a signal: stop, restart, kill
    bool out_of_memory = false;  ///< a process of it was killed for that
  };
  /// Between these times of the daemon's clock; `until` in its future is waited for, `wait` at
  /// most. The daemon remembers its last 256 events. Podman does not tell: refused.
  using WallTime = std::chrono::system_clock::time_point;
  asio::awaitable<Result<Signs>> signs_of(std::string id, WallTime since, WallTime until,
                                          net::Duration wait = net::Duration(0));

  /// SIGTERM (or the image's stop signal), after `grace` SIGKILL, by Docker. Whole seconds, rounded
  /// up.
  asio::awaitable<Result<StopResult>> stop(std::string id, std::chrono::nanoseconds grace);
  asio::awaitable<Result<StopResult>> kill(std::string id, std::string signal);
  asio::awaitable<Result<void>> unpause(std::string id);
  asio::awaitable<Result<void>> remove(std::string id, bool force);

  /// Log stream: head read, frames follow (docker/frames.hpp). `since` in seconds since 1970.
  struct LogQuery {
    std::string since = {};
    bool follow = false;
    bool timestamps = false;
    std::int64_t tail = 0;  ///< the newest so many lines only; 0 = all
  };
  asio::awaitable<Result<void>> open_logs(net::HttpConnection& connection, std::string id,
                                          LogQuery query);

  /// A command for a running container, not started yet: its id. `environment`: NAME=value beside
  /// the container's own.
  asio::awaitable<Result<std::string>> create_exec(std::string id, std::vector<std::string> argv,
                                                   std::vector<std::string> environment);
  /// Starts it. Its output follows in frames until it has ended; Docker has no call to end it.
  asio::awaitable<Result<void>> open_exec(net::HttpConnection& connection, std::string exec_id);
  /// The exit code; nullopt while it runs.
  asio::awaitable<Result<std::optional<int>>> exec_exit_code(std::string exec_id);

  /// Containers that match Docker's `filters` (JSON), running ones only unless `all`.
  asio::awaitable<Result<std::vector<ContainerSummary>>> list(std::string filters, bool all);

  /// GET /info: what the daemon is and can, as JSON.
  asio::awaitable<Result<std::string>> info();

  /// A connection of its own for a long call; without a cancellation of its own it ends with
  /// close().
  [[nodiscard]] net::HttpConnection connection(net::Cancellation* cancellation = nullptr);

  /// Ends every call that still waits: the process is about to exit.
  void close() { closed_.cancel(); }

 private:
  /// On the connection that is kept. `cancellation` (may be null) ends it beside close().
  asio::awaitable<Result<net::HttpResponse>> call(net::HttpRequest request, net::Duration limit,
                                                  net::Cancellation* cancellation = nullptr,
                                                  std::size_t body_limit = small_body);
  asio::awaitable<Result<void>> open_stream(net::HttpConnection& connection,
                                            net::HttpRequest request);
  /// Puts the API version before the target; asks for it again when Docker refused the last one.
  asio::awaitable<Result<void>> put_version(net::HttpRequest& request,
                                            net::Cancellation* cancellation = nullptr);
  /// The error of an answer that says no. Of one that refuses our API version: unreachable, the
  /// next call uses another.
  Error refused(const net::HttpResponse& response);
  Result<StopResult> stop_result(const Result<net::HttpResponse>& response);

  /// Bytes; inspect of a big container is tens of KB.
  static constexpr std::size_t small_body = 4UL * 1024 * 1024;
  /// A host that keeps every ended container has thousands of them, with some KB each.
  static constexpr std::size_t list_body = 64UL * 1024 * 1024;

  asio::any_io_executor executor_;
  net::Cancellation closed_;
  EngineAddress where_;
  Limits limits_;
  std::string version_;          // `/v1.41`, empty until negotiated
  std::string refused_version_;  // by a Docker that took the place of the one that offered it
  bool negotiated_ = false;
  bool podman_ = false;
  std::optional<net::HttpConnection> idle_;  // kept alive between short calls
};

}  // namespace sidecar_executor::docker
