#include "sidecar_docker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json.hpp>
#include <stdexcept>

namespace mini_agent {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;

// Often enough that a container is there before the executor's first poll.
constexpr auto kRefresh = std::chrono::milliseconds(100);

bool is_discovered(const json::object& container) {
  const json::value* labels = container.if_contains("Labels");
  if (labels == nullptr || !labels->is_object()) return true;
  const json::value* discover = labels->as_object().if_contains("SidecarDiscover");
  if (discover == nullptr || !discover->is_string()) return true;
  const json::string& text = discover->as_string();
  return text != "false" && text != "False" && text != "FALSE" && text != "f" && text != "F" &&
         text != "0";
}

}  // namespace

Services services_of(const std::string& body) {
  Services services;
  const json::value parsed = json::parse(body);
  for (const auto& element : parsed.as_array()) {
    const json::object& container = element.as_object();
    if (!is_discovered(container)) continue;
    services[std::string(container.at("Id").as_string()).substr(0, 12)] =
        std::string(container.at("Image").as_string());
  }
  return services;
}

ContainerWatch::ContainerWatch(asio::io_context& io, const std::string& docker_host)
    : io_(io), state_(std::make_shared<State>(io)) {
  const std::string scheme = "unix://";
  state_->path = docker_host.empty() ? "/var/run/docker.sock" : docker_host;
  if (docker_host.starts_with(scheme)) state_->path = docker_host.substr(scheme.size());
  if (!state_->path.starts_with("/")) {
    throw std::runtime_error("--sidecar: DOCKER_HOST=" + docker_host + " is no unix socket");
  }
}

void ContainerWatch::start() { asio::co_spawn(io_, run(state_), asio::detached); }

void ContainerWatch::stop() {
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->socket.close(ignored);
  state_->wake.cancel();
}

// A connection for each question: a daemon that was restarted is found again by itself.
asio::awaitable<void> ContainerWatch::run(std::shared_ptr<State> state) {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (!state->stopped) {
    http::request<http::empty_body> request(http::verb::get, "/containers/json", 11);
    request.set(http::field::host, "docker");
    request.set(http::field::connection, "close");
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await state->socket.async_connect(asio::local::stream_protocol::endpoint(state->path),
                                         token);
    if (!error) co_await http::async_write(state->socket, request, token);
    if (!error) co_await http::async_read(state->socket, buffer, response, token);
    if (!error && response.result() == http::status::ok) {
      try {
        state->known = services_of(response.body());
      } catch (const std::exception&) {
        // No list of containers: what was known stays.
      }
    }
    boost::system::error_code ignored;
    state->socket.close(ignored);
    if (state->stopped) co_return;
    state->wake.expires_after(kRefresh);
    co_await state->wake.async_wait(token);
  }
}

}  // namespace mini_agent
