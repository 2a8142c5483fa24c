#include "sidecar/client.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace sidecar_executor::sidecar {
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t answer_limit = 64 * 1024;

Error refused(const std::string& where, const net::HttpResponse& head) {
  return {kind_of_http_status(head.status), where + ": HTTP " + std::to_string(head.status),
          head.status};
}

Status to_status(std::int64_t number) {
  return number >= 0 && number <= 4 ? static_cast<Status>(number) : Status::unknown;
}

}  // namespace

Result<ClientConfig> client_config(const Settings& settings, std::string host,
                                   const net::TlsSettings& tls) {
  constexpr const char* variable = "EXECUTOR_SIDECAR_URL";
  ClientConfig out;
  auto url = net::parse_url(settings.sidecar_url);
  if (!url) return url.error().during(variable);
  out.url = std::move(*url);
  if (out.url.address.tls) {
    auto context = net::TlsContext::make(tls);
    if (!context) return context.error().during(variable);
    out.url.address.tls_context = std::move(*context);
  }
  out.timeout = settings.http_timeout;
  out.retries = settings.sidecar_retry_count;
  out.retry_delay = settings.sidecar_retry_delay;
  out.host = std::move(host);
  return out;
}

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

/// User and password of the URL go along, as Go's client sends them.
net::HttpRequest Client::request(std::string method, std::string target) const {
  net::HttpRequest out;
  out.method = std::move(method);
  out.target = std::move(target);
  if (!config_.url.authorization.empty())
    out.headers.emplace_back("Authorization", config_.url.authorization);
  return out;
}

/// Reads no further than our entry, and keeps nothing of the rest. The messages do not vary from
/// poll to poll: what is new is told by the text.
asio::awaitable<Result<void>> Client::scan(StateScanner& scanner, net::Cancellation& cancellation) {
  const auto end = SteadyClock::now() + config_.timeout;
  const std::string where = config_.url.address.display() + config_.url.path;
  net::HttpConnection connection(executor_, config_.url.address, &cancellation);
  const auto head = co_await connection.open(request("GET", config_.url.path), config_.timeout);
  if (!head) co_return head.error();
  if (head->status != 200) co_return refused(where, *head);
  std::string chunk(read_size, '\0');
  while (scanner.progress() == StateScanner::Progress::reading) {
    const net::Duration left = end - SteadyClock::now();
    const auto got = left > net::Duration(0)
                         ? co_await connection.read_some(chunk.data(), chunk.size(), left)
                         : Result<std::size_t>(Error{ErrorKind::timeout, {}});
    if (!got && got.error().kind == ErrorKind::timeout) {
      co_return Error{ErrorKind::timeout, where +
                                              ": the state was not read within HttpTimeout of " +
                                              net::limit_text(config_.timeout)};
    }
    if (!got) co_return got.error();
    if (*got == 0) {
      scanner.finish();
    } else {
      scanner.feed(std::string_view(chunk).substr(0, *got));
    }
  }
  if (scanner.progress() == StateScanner::Progress::unparsable) {
    co_return Error{ErrorKind::protocol,
                    where + ": the answer is no Sidecar state document, or was cut off"};
  }
  co_return boost::system::in_place_value;
}

asio::awaitable<Result<Observation>> Client::fetch(const std::string& id12,
                                                   net::Cancellation& cancellation) {
  StateScanner scanner(config_.host, id12);
  const auto scanned = co_await scan(scanner, cancellation);
  if (!scanned) co_return scanned.error();
  switch (scanner.progress()) {
    case StateScanner::Progress::found:
      co_return Observation(to_status(scanner.status()));
    case StateScanner::Progress::host_missing:
      co_return Observation(NoAnswer{"host " + config_.host + " is not in Sidecar's state"});
    default:
      co_return Observation(
          NoAnswer{"service " + id12 + " is not in Sidecar's state of host " + config_.host});
  }
}

asio::awaitable<Result<bool>> Client::knows_host(net::Cancellation& cancellation) {
  // Of no container: the document is read until our host ends.
  StateScanner scanner(config_.host, "-");
  const auto scanned = co_await scan(scanner, cancellation);
  if (!scanned) co_return scanned.error();
  co_return scanner.progress() != StateScanner::Progress::host_missing;
}

asio::awaitable<Result<void>> Client::drain(std::string id12, net::Cancellation& cancellation,
                                            std::function<void()> on_failure) {
  for (std::int64_t attempt = 0;; ++attempt) {
    auto done = co_await post_drain(id12, cancellation);
    if (!done) on_failure();
    // 404: this Sidecar does not know the service, asking again will not change that.
    const bool final = done || done.error().kind == ErrorKind::not_found;
    if (final || attempt >= config_.retries || cancellation.cancelled()) co_return done;
    if (!co_await net::sleep_for(config_.retry_delay, cancellation)) co_return done;
  }
}

asio::awaitable<Result<void>> Client::post_drain(const std::string& id12,
                                                 net::Cancellation& cancellation) {
  net::HttpConnection connection(executor_, config_.url.address, &cancellation);
  const std::string target = "/api/services/" + id12 + "/drain";
  const std::string where = config_.url.address.display() + target;
  const auto end = SteadyClock::now() + config_.timeout;
  const auto head = co_await connection.open(request("POST", target), config_.timeout);
  if (!head) co_return head.error();
  // What else it says does not matter, and may be long or never come.
  if (head->status == 202) co_return boost::system::in_place_value;
  Error error = refused(where, *head);
  const auto left = std::max<net::Duration>(end - SteadyClock::now(), net::Duration(1));
  const auto body = co_await connection.read_rest(left, answer_limit);
  if (body && !body->empty()) error.message += " " + one_line(*body, 200);
  co_return error;
}

}  // namespace sidecar_executor::sidecar
