// The calls about one container, and about commands in it.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/text.hpp"
#include "docker/engine.hpp"
#include "docker/engine_answers.hpp"

namespace sidecar_executor::docker {
namespace json = boost::json;
using net::HttpConnection;
using net::HttpRequest;
using net::HttpResponse;

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

asio::awaitable<Result<std::string>> Engine::inspect(std::string id,
                                                     net::Cancellation* cancellation) {
  HttpRequest request{.target = "/containers/" + percent_encode(id) + "/json"};
  auto response = co_await call(std::move(request), limits_.call, cancellation);
  if (!response) co_return response.error();
  if (response->status != 200) co_return refused(*response);
  co_return std::move(response->body);
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

Result<StopResult> Engine::stop_result(const Result<HttpResponse>& response) {
  if (!response) return response.error();
  if (const auto result = stop_result_of(*response)) return *result;
  return refused(*response);
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

}  // namespace sidecar_executor::docker
