#include "docker/engine.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/stamp.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace json = boost::json;
using net::HttpConnection;
using net::HttpRequest;
using net::HttpResponse;

namespace {

constexpr int newest_minor = 45;  // API 1.45, the newest that we know

/// dockerd still takes calls while it is being stopped, and fails them once what is below it has
/// gone: containerd (gRPC's word for that is `unavailable`), or the store of its networks.
bool is_going_down(std::string_view message) {
  return message.ends_with(": unavailable") ||
         message.find("failed to update store for object type *libnetwork.") != message.npos;
}

/// dockerd was replaced by another version, and this container lived on (live-restore): "client
/// version 1.43 is too old. Minimum supported API version is 1.44, ...", after an upgrade; "... is
/// too new. Maximum supported API version is 1.43", after the way back.
bool is_about_the_version(const Error& error) {
  return error.http_status == 400 &&
         (error.message.find("Minimum supported API version") != std::string::npos ||
          error.message.find("Maximum supported API version") != std::string::npos);
}

Error refused(const HttpResponse& response) {
  Error error{kind_of_http_status(response.status), error_message(response), response.status};
  if (response.status >= 500 && is_going_down(error.message)) error.kind = ErrorKind::unreachable;
  return error;
}

/// `1.41` → 41; 0 when it is no version.
int minor_of(std::string_view version) {
  if (!version.starts_with("1.")) return 0;
  int minor = 0;
  const auto digits = version.substr(2);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  return ec == std::errc{} && end == digits.data() + digits.size() ? minor : 0;
}

Result<json::object> object_of(const std::string& body, std::string_view what) {
  boost::system::error_code ec;
  auto value = json::parse(body, ec);
  if (ec || !value.is_object()) {
    return Error{ErrorKind::protocol, "Docker's answer to " + std::string(what) +
                                          " is no JSON object: " + one_line(body, 120)};
  }
  return std::move(value.as_object());
}

std::vector<std::string> strings_at(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const auto& element : value->as_array()) {
    if (element.is_string()) out.emplace_back(element.as_string());
  }
  return out;
}

/// Of Names: its own, `/mesos-...`; the others, of links, have one slash more.
std::string name_of(const json::object& container) {
  for (const auto& name : strings_at(container, "Names")) {
    if (name.starts_with('/') && name.find('/', 1) == std::string::npos) return name.substr(1);
  }
  return {};
}

/// Seconds since 1970; here too, a daemon may send anything.
std::chrono::system_clock::time_point created_at(const json::object& container) {
  const auto* seconds = container.if_contains("Created");
  constexpr std::int64_t longest = 1LL << 33;
  const bool usable = seconds != nullptr && seconds->is_int64() && seconds->as_int64() >= 0 &&
                      seconds->as_int64() < longest;
  return std::chrono::system_clock::time_point(
      std::chrono::seconds(usable ? seconds->as_int64() : 0));
}

}  // namespace

Result<StopResult> Engine::stop_result(const Result<HttpResponse>& response) {
  if (!response) return response.error();
  switch (response->status) {
    case 204:
      return StopResult::done;
    case 304:
      return StopResult::already_ended;
    case 404:
      return StopResult::gone;
    case 409:  // kill: not running; or: paused, being removed
    case 500:  // Podman 4.3, for what Docker calls a conflict
      break;
    default:
      return refused(*response);
  }
  // moby words it "Container <id> is not running"; Podman "can only kill running containers. <id>
  // is in state exited: ...".
  const std::string text = to_lower(error_message(*response));
  if (text.find("not running") != std::string::npos ||
      text.find("can only kill running") != std::string::npos) {
    return StopResult::already_ended;
  }
  return refused(*response);
}

std::string error_message(const HttpResponse& response) {
  boost::system::error_code ec;
  const auto value = json::parse(response.body, ec);
  if (!ec && value.is_object()) {
    const std::string message = text_at(value.as_object(), "message");
    if (!message.empty()) return one_line(message, 1000);
  }
  const std::string text = one_line(response.body, 300);
  return "HTTP " + std::to_string(response.status) + (text.empty() ? "" : " " + text);
}

namespace {

std::string platform_query(const std::string& platform) {
  return platform.empty() ? "" : "&platform=" + percent_encode(platform);
}

}  // namespace

Engine::Engine(asio::any_io_executor executor, EngineAddress where, Limits limits)
    : executor_(std::move(executor)), where_(std::move(where)), limits_(limits) {
  if (!where_.api_version.empty()) version_ = "/v" + where_.api_version;
}

HttpConnection Engine::connection(net::Cancellation* cancellation) {
  return {executor_, where_.address, cancellation == nullptr ? &closed_ : cancellation};
}

int Engine::api_minor() const { return version_.empty() ? 0 : minor_of(version_.substr(2)); }

Error Engine::refused(const HttpResponse& response) {
  Error error = docker::refused(response);
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
    version_ = minor == 0 ? "" : "/v1." + std::to_string(std::min(minor, newest_minor));
  }
  negotiated_ = true;
  if (cancellation == nullptr && connection.is_reusable()) idle_.emplace(std::move(connection));
  const std::string server(response->header("Server"));
  podman_ = server.starts_with("Libpod/");
  co_return (server.empty() ? "Docker" : server) + ", API " +
      (offered.empty() ? "unknown" : offered) +
      (version_.empty() ? "" : ", using " + version_.substr(2));
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

asio::awaitable<Result<CreatedContainer>> Engine::create(std::string name, std::string body,
                                                         std::string platform) {
  HttpRequest request{
      .method = "POST",
      .target = "/containers/create?name=" + percent_encode(name) + platform_query(platform),
      .body = std::move(body),
      .content_type = "application/json"};
  auto response = co_await call(std::move(request), limits_.create);
  if (!response) co_return response.error();
  if (response->status != 201) {
    Error error = refused(*response);
    // A name that is taken: old engines answer 400 with this text, Podman 4.3 500 with that.
    if (error.message.starts_with("Conflict.") ||
        error.message.ends_with("that name is already in use")) {
      error.kind = ErrorKind::conflict;
    }
    co_return error;
  }
  auto object = object_of(response->body, "create");
  if (!object) co_return object.error();
  CreatedContainer created{text_at(*object, "Id"), strings_at(*object, "Warnings")};
  if (created.id.empty()) {
    co_return Error{ErrorKind::protocol, "Docker's answer to create has no Id"};
  }
  co_return created;
}

asio::awaitable<Result<void>> Engine::connect_network(std::string network, std::string id,
                                                      std::string endpoint,
                                                      net::Cancellation& cancellation) {
  HttpRequest request{.method = "POST",
                      .target = "/networks/" + percent_encode(network) + "/connect",
                      .body = R"({"Container":")" + id + R"(","EndpointConfig":)" + endpoint + "}",
                      .content_type = "application/json"};
  auto response = co_await call(std::move(request), limits_.create, &cancellation);
  if (!response) co_return response.error();
  if (response->status == 200) co_return boost::system::in_place_value;
  Error error = refused(*response);
  // moby: 403 "endpoint with name N already exists in network X" for a running container (200 for
  // one that was not started); Podman: "container C is already connected to network X".
  if (error.message.find("already exists in network") != std::string::npos ||
      error.message.find("already connected to network") != std::string::npos) {
    co_return boost::system::in_place_value;
  }
  co_return error;
}

asio::awaitable<Result<void>> Engine::start(std::string id) {
  HttpRequest request{.method = "POST", .target = "/containers/" + id + "/start"};
  auto response = co_await call(std::move(request), limits_.start);
  if (!response) co_return response.error();
  if (response->status == 204 || response->status == 304) co_return boost::system::in_place_value;
  Error error = refused(*response);
  // moby 20.10, of a start that the daemon's own end cut short: `task <id>: already exists`. The id
  // is taken in containerd, nothing of it runs, and no start of it will ever succeed.
  if (error.message.starts_with("task ") && error.message.ends_with(": already exists"))
    error.kind = ErrorKind::conflict;
  co_return error;
}

asio::awaitable<Result<std::string>> Engine::inspect(std::string id) {
  HttpRequest request{.target = "/containers/" + percent_encode(id) + "/json"};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  co_return std::move(response->body);
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

asio::awaitable<Result<void>> Engine::open_wait(HttpConnection& connection, std::string id,
                                                std::string condition) {
  HttpRequest request{.method = "POST",
                      .target = "/containers/" + id + "/wait?condition=" + condition};
  co_return co_await open_stream(connection, std::move(request));
}

asio::awaitable<Result<int>> Engine::read_wait(HttpConnection& connection) {
  auto body = co_await connection.read_rest(net::Duration::max(), small_body);
  if (!body) co_return body.error();
  auto object = object_of(*body, "wait");
  if (!object) co_return object.error();
  const auto* code = object->if_contains("StatusCode");
  if (code == nullptr || !code->is_int64()) {
    co_return Error{ErrorKind::protocol,
                    "Docker's answer to wait has no StatusCode: " + one_line(*body, 120)};
  }
  // -1 with a text: the wait itself failed (daemon going down), nothing is known of the container.
  const auto* failed = object->if_contains("Error");
  if (code->as_int64() < 0 && failed != nullptr && failed->is_object()) {
    co_return Error{ErrorKind::unavailable,
                    "Docker's wait failed: " + one_line(text_at(failed->as_object(), "Message"))};
  }
  co_return static_cast<int>(code->as_int64());
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

asio::awaitable<Result<StopResult>> Engine::stop(std::string id, std::chrono::nanoseconds grace) {
  // Docker takes a negative time as "wait for ever".
  const auto seconds =
      std::max(std::chrono::ceil<std::chrono::seconds>(grace), std::chrono::seconds(0));
  HttpRequest request{.method = "POST",
                      .target = "/containers/" + id + "/stop?t=" + std::to_string(seconds.count())};
  if (auto put = co_await put_version(request); !put) co_return put.error();
  // A connection of its own: it is held for the whole grace period.
  HttpConnection connection = this->connection();
  auto response =
      co_await connection.exchange(std::move(request), seconds + limits_.stop_extra, small_body);
  co_return stop_result(response);
}

asio::awaitable<Result<StopResult>> Engine::kill(std::string id, std::string signal) {
  HttpRequest request{.method = "POST", .target = "/containers/" + id + "/kill?signal=" + signal};
  if (auto put = co_await put_version(request); !put) co_return put.error();
  HttpConnection connection = this->connection();
  auto response = co_await connection.exchange(std::move(request), limits_.call, small_body);
  co_return stop_result(response);
}

asio::awaitable<Result<void>> Engine::unpause(std::string id) {
  HttpRequest request{.method = "POST", .target = "/containers/" + id + "/unpause"};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status != 204) co_return refused(*response);
  co_return boost::system::in_place_value;
}

asio::awaitable<Result<void>> Engine::remove(std::string id, bool force) {
  HttpRequest request{
      .method = "DELETE",
      .target = "/containers/" + percent_encode(id) + "?v=1&force=" + (force ? "1" : "0")};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status == 204 || response->status == 404) co_return boost::system::in_place_value;
  Error error = refused(*response);
  // moby: 409 "removal of container <id> is already in progress": no answer yet, as it were.
  if (error.message.find("is already in progress") != std::string::npos)
    error.kind = ErrorKind::timeout;
  co_return error;
}

asio::awaitable<Result<void>> Engine::open_logs(HttpConnection& connection, std::string id,
                                                LogQuery query) {
  HttpRequest request{.target = "/containers/" + id + "/logs?stdout=1&stderr=1&since=" +
                                query.since + "&follow=" + (query.follow ? "1" : "0") +
                                "&timestamps=" + (query.timestamps ? "1" : "0") +
                                (query.tail > 0 ? "&tail=" + std::to_string(query.tail) : "")};
  co_return co_await open_stream(connection, std::move(request));
}

asio::awaitable<Result<std::string>> Engine::create_exec(std::string id,
                                                         std::vector<std::string> argv,
                                                         std::vector<std::string> environment) {
  const json::object body{{"AttachStdout", true},
                          {"AttachStderr", true},
                          {"Cmd", json::array(argv.begin(), argv.end())},
                          {"Env", json::array(environment.begin(), environment.end())}};
  HttpRequest request{.method = "POST",
                      .target = "/containers/" + id + "/exec",
                      .body = json::serialize(body),
                      .content_type = "application/json"};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status != 201) co_return refused(*response);
  auto object = object_of(response->body, "exec");
  if (!object) co_return object.error();
  std::string exec_id = text_at(*object, "Id");
  if (exec_id.empty()) {
    co_return Error{ErrorKind::protocol, "Docker's answer to exec has no Id"};
  }
  co_return exec_id;
}

asio::awaitable<Result<void>> Engine::open_exec(HttpConnection& connection, std::string exec_id) {
  HttpRequest request{.method = "POST",
                      .target = "/exec/" + percent_encode(exec_id) + "/start",
                      .body = R"({"Detach":false,"Tty":false})",
                      .content_type = "application/json"};
  co_return co_await open_stream(connection, std::move(request));
}

asio::awaitable<Result<std::optional<int>>> Engine::exec_exit_code(std::string exec_id) {
  HttpRequest request{.target = "/exec/" + percent_encode(exec_id) + "/json"};
  auto response = co_await call(std::move(request), limits_.call);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  auto object = object_of(response->body, "GET /exec");
  if (!object) co_return object.error();
  const auto* running = object->if_contains("Running");
  if (running != nullptr && running->is_bool() && running->as_bool()) co_return std::nullopt;
  const auto* code = object->if_contains("ExitCode");
  if (code == nullptr || !code->is_int64()) co_return std::nullopt;
  co_return static_cast<int>(code->as_int64());
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
    if (!row.is_object()) continue;
    const auto& object = row.as_object();
    ContainerSummary summary{text_at(object, "Id"),    name_of(object),    text_at(object, "Image"),
                             text_at(object, "State"), created_at(object), {}};
    const auto* labels = object.if_contains("Labels");
    if (labels != nullptr && labels->is_object()) {
      for (const auto& label : labels->as_object()) {
        if (label.value().is_string())
          summary.labels.emplace_back(label.key(), label.value().as_string());
      }
    }
    out.push_back(std::move(summary));
  }
  co_return out;
}

}  // namespace sidecar_executor::docker
