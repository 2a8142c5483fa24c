#include "sidecar/client.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "sidecar/state_scanner.hpp"

namespace sidecar_executor::sidecar {
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t answer_limit = 64 * 1024;

Error refused(const net::HttpResponse& head) {
  return {kind_of_http_status(head.status), "HTTP " + std::to_string(head.status), head.status};
}

Status to_status(std::int64_t number) {
  return number >= 0 && number <= 4 ? static_cast<Status>(number) : Status::unknown;
}

}  // namespace

Client::Client(asio::any_io_executor executor, ClientConfig config)
    : executor_(std::move(executor)), config_(std::move(config)) {}

asio::awaitable<Observation> Client::status(std::string id12, net::Cancellation& cancellation) {
  for (std::int64_t attempt = 0;; ++attempt) {
    auto seen = co_await fetch(id12, cancellation);
    if (seen) co_return std::move(*seen);
    NoAnswer nothing{seen.error().message};
    if (attempt >= config_.retries || cancellation.cancelled()) co_return nothing;
    if (!co_await net::sleep_for(config_.retry_delay, cancellation)) co_return nothing;
  }
}

/// Reads no further than our entry, and keeps nothing of the rest.
asio::awaitable<Result<Observation>> Client::fetch(const std::string& id12,
                                                   net::Cancellation& cancellation) {
  const auto end = SteadyClock::now() + config_.timeout;
  net::HttpConnection connection(executor_, config_.url.address, &cancellation);
  net::HttpRequest request;
  request.target = config_.url.path;
  const auto head = co_await connection.open(std::move(request), config_.timeout);
  if (!head) co_return head.error();
  if (head->status != 200) co_return refused(*head);
  StateScanner scanner(config_.host, id12);
  std::string chunk(read_size, '\0');
  while (scanner.progress() == StateScanner::Progress::reading) {
    const auto left =
        std::max<net::Duration>(end - SteadyClock::now(), std::chrono::milliseconds(1));
    if (SteadyClock::now() >= end) {
      co_return Error{ErrorKind::timeout, config_.url.address.display() +
                                              ": state document not read within HttpTimeout"};
    }
    const auto got = co_await connection.read_some(chunk.data(), chunk.size(), left);
    if (!got) co_return got.error();
    if (*got == 0) {
      scanner.finish();
    } else {
      scanner.feed(std::string_view(chunk).substr(0, *got));
    }
  }
  switch (scanner.progress()) {
    case StateScanner::Progress::found:
      co_return Observation(to_status(scanner.status()));
    case StateScanner::Progress::host_missing:
      co_return Observation(NoAnswer{"host " + config_.host + " is not in Sidecar's state"});
    case StateScanner::Progress::service_missing:
      co_return Observation(
          NoAnswer{"service " + id12 + " is not in Sidecar's state of host " + config_.host});
    default:
      co_return Error{ErrorKind::protocol,
                      "the answer is no Sidecar state document, or was cut off"};
  }
}

asio::awaitable<Result<void>> Client::drain(std::string id12, net::Cancellation& cancellation) {
  for (std::int64_t attempt = 0;; ++attempt) {
    auto done = co_await post_drain(id12, cancellation);
    // 404: this Sidecar does not know the service, asking again will not change that.
    const bool final = done || done.error().kind == ErrorKind::not_found;
    if (final || attempt >= config_.retries || cancellation.cancelled()) co_return done;
    if (!co_await net::sleep_for(config_.retry_delay, cancellation)) co_return done;
  }
}

asio::awaitable<Result<void>> Client::post_drain(const std::string& id12,
                                                 net::Cancellation& cancellation) {
  net::HttpConnection connection(executor_, config_.url.address, &cancellation);
  net::HttpRequest request;
  request.method = "POST";
  request.target = "/api/services/" + id12 + "/drain";
  const auto answer =
      co_await connection.exchange(std::move(request), config_.timeout, answer_limit);
  if (!answer) co_return answer.error();
  if (answer->status != 202) {
    Error error = refused(*answer);
    error.message += " " + one_line(answer->body, 200);
    co_return error;
  }
  co_return boost::system::in_place_value;
}

}  // namespace sidecar_executor::sidecar
