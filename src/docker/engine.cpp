#include "docker/engine.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/stamp.hpp"
#include "base/text.hpp"
#include "docker/api_version.hpp"
#include "docker/engine_answers.hpp"

namespace sidecar_executor::docker {
namespace json = boost::json;
using net::HttpConnection;
using net::HttpRequest;
using net::HttpResponse;

Engine::Engine(asio::any_io_executor executor, EngineAddress where, Limits limits)
    : executor_(std::move(executor)), where_(std::move(where)), limits_(limits) {
  if (!where_.api_version.empty()) version_ = "/v" + where_.api_version;
}

HttpConnection Engine::connection(net::Cancellation* cancellation) {
  return {executor_, where_.address, cancellation == nullptr ? &closed_ : cancellation};
}

int Engine::api_minor() const { return version_.empty() ? 0 : minor_of(version_.substr(2)); }

Error Engine::refused(const HttpResponse& response) {
  Error error = refusal_of(response);
  // The same version refused twice is one that this Docker never takes.
  if (is_about_the_version(error) && where_.api_version.empty() && version_ != refused_version_) {
    refused_version_ = version_;
    error.kind = ErrorKind::unreachable;
  }
  return error;
}

asio::awaitable<Result<void>> Engine::put_version(HttpRequest& request,
                                                  net::Cancellation* cancellation) {
  if (!refused_version_.empty() && version_ == refused_version_) {
    const auto answer = co_await negotiate(cancellation);
    if (!answer) co_return answer.error();
  }
  request.target.insert(0, version_);
  co_return boost::system::in_place_value;
}

asio::awaitable<Result<HttpResponse>> Engine::call(HttpRequest request, net::Duration limit,
                                                   net::Cancellation* cancellation,
                                                   std::size_t body_limit) {
  // Taken out while it is used: another call at the same time opens its own.
  HttpConnection connection =
      idle_ && idle_->is_reusable() ? std::move(*idle_) : this->connection();
  idle_.reset();
  net::Cancellation::Registration hook;
  if (cancellation != nullptr) {
    if (cancellation->cancelled()) co_return Error{ErrorKind::cancelled, "cancelled"};
    hook = cancellation->on_cancel([&connection] { connection.close(); });
  }
  if (auto put = co_await put_version(request, cancellation); !put) co_return put.error();
  auto response = co_await connection.exchange(std::move(request), limit, body_limit);
  if (response && connection.is_reusable()) idle_.emplace(std::move(connection));
  co_return response;
}

asio::awaitable<Result<std::string>> Engine::negotiate(net::Cancellation* cancellation) {
  HttpConnection connection = this->connection(cancellation);
  HttpRequest request{.target = "/_ping"};
  auto response = co_await connection.exchange(std::move(request), limits_.call, small_body);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  const std::string offered(response->header("Api-Version"));
  if (where_.api_version.empty()) {
    const int minor = minor_of(offered);
    // Engines before 1.24 do not say; a proxy may strip it. Without a version Docker uses its
    // newest.
    version_ = minor == 0 ? "" : "/v1." + std::to_string(std::min(minor, newest_api_minor));
  }
  negotiated_ = true;
  if (cancellation == nullptr && connection.is_reusable()) idle_.emplace(std::move(connection));
  const std::string server(response->header("Server"));
  podman_ = server.starts_with("Libpod/");
  co_return (server.empty() ? "Docker" : server) + ", API " +
      (offered.empty() ? "unknown" : offered) +
      (version_.empty() ? "" : ", using " + version_.substr(2));
}

/// Head of an answer whose body is read as it comes; a refusal is read to its end.
asio::awaitable<Result<void>> Engine::open_stream(HttpConnection& connection, HttpRequest request) {
  if (auto put = co_await put_version(request); !put) co_return put.error();
  auto head = co_await connection.open(std::move(request), limits_.call);
  if (!head) co_return head.error();
  if (head->status != 200) {
    auto body = co_await connection.read_rest(limits_.call, small_body);
    head->body = body ? std::move(*body) : std::string();
    co_return refused(*head);
  }
  co_return boost::system::in_place_value;
}

asio::awaitable<Result<ImageSummary>> Engine::inspect_image(std::string image,
                                                            net::Cancellation& cancellation) {
  // Slashes and colons stay as they are: Docker's router wants the name as a path.
  HttpRequest request{.target = "/images/" + image + "/json"};
  auto response = co_await call(std::move(request), limits_.call, &cancellation);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  auto object = object_of(response->body, "GET /images/json");
  if (!object) co_return object.error();
  co_return ImageSummary{
      text_at(*object, "Id"),
      strings_at(*object, "RepoDigests"),
      {text_at(*object, "Os"), text_at(*object, "Architecture"), text_at(*object, "Variant")}};
}

asio::awaitable<Result<void>> Engine::pull(const ImageRef& image, std::string auth_header,
                                           PullProgress& progress,
                                           std::function<void()> on_progress,
                                           net::Cancellation& cancellation, std::string platform) {
  HttpConnection connection = this->connection(&cancellation);
  HttpRequest request{.method = "POST",
                      .target = "/images/create?fromImage=" + percent_encode(image.name) + "&tag=" +
                                percent_encode(image.pull_tag()) + platform_query(platform)};
  if (!auth_header.empty()) request.headers.emplace_back("X-Registry-Auth", std::move(auth_header));
  if (auto put = co_await put_version(request, &cancellation); !put) co_return put.error();
  auto head = co_await connection.open(std::move(request), limits_.pull_idle);
  if (!head) co_return head.error();
  if (head->status != 200) {
    auto body = co_await connection.read_rest(limits_.call, small_body);
    if (!body) co_return body.error();
    head->body = std::move(*body);
    co_return refused(*head);
  }
  std::string chunk(16 * 1024, '\0');
  for (;;) {
    auto got = co_await connection.read_some(chunk.data(), chunk.size(), limits_.pull_idle);
    if (!got) co_return got.error();
    if (*got == 0) co_return progress.finish();
    auto fed = progress.feed(std::string_view(chunk).substr(0, *got));
    if (!fed) co_return fed.error();
    on_progress();
  }
}

asio::awaitable<Result<Engine::Signs>> Engine::signs_of(std::string id, WallTime since,
                                                        WallTime until, net::Duration wait) {
  // Podman 4.3: nothing for an `until` that has passed, and no kill event for its restart and stop.
  if (podman_) co_return Error{ErrorKind::refused, "Podman's events do not tell of signals"};
  const json::object filters{{"container", json::array{id}}, {"event", json::array{"kill", "oom"}}};
  HttpRequest request{.target = "/events?since=" + unix_time(since.time_since_epoch()) +
                                "&until=" + unix_time(until.time_since_epoch()) +
                                "&filters=" + percent_encode(json::serialize(filters))};
  auto response = co_await call(std::move(request), limits_.events + wait);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  Signs out;
  for (const auto& line : split(response->body, '\n')) {  // one object a line
    if (line.empty()) continue;
    const auto event = object_of(line, "GET /events");
    if (!event) co_return event.error();
    const std::string action = text_at(*event, "Action");
    out.signalled |= action == "kill";
    out.out_of_memory |= action == "oom";
  }
  co_return out;
}

std::string ContainerSummary::label(std::string_view key) const {
  for (const auto& [name_of_label, value] : labels) {
    if (name_of_label == key) return value;
  }
  return {};
}

asio::awaitable<Result<std::string>> Engine::info() {
  HttpRequest request{.target = "/info"};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  co_return std::move(response->body);
}

asio::awaitable<Result<std::vector<ContainerSummary>>> Engine::list(std::string filters, bool all) {
  HttpRequest request{.target = "/containers/json?all=" + std::string(all ? "1" : "0") +
                                "&filters=" + percent_encode(filters)};
  auto response = co_await call(std::move(request), limits_.call, nullptr, list_body);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  boost::system::error_code ec;
  const auto value = json::parse(response->body, ec);
  if (ec || !value.is_array()) {
    co_return Error{ErrorKind::protocol, "Docker's list of containers is no JSON array"};
  }
  std::vector<ContainerSummary> out;
  for (const auto& row : value.as_array()) {
    if (row.is_object()) out.push_back(summary_of(row.as_object()));
  }
  co_return out;
}

}  // namespace sidecar_executor::docker
