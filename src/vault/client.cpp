#include "vault/client.hpp"

#include <algorithm>
#include <charconv>
#include <random>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "vault/answers.hpp"

namespace sidecar_executor::vault {
using SteadyClock = std::chrono::steady_clock;
using net::Duration;
using net::SteadyTime;

namespace {

/// A standby node answers with one; more than a few are a loop.
constexpr int most_redirects = 3;
constexpr std::size_t most_idle = 4;

bool is_redirect(int status) { return status == 301 || status == 302 || status == 307; }

/// 412: a node that has not caught up yet; 429: too many requests, or a standby's health answer.
bool may_pass(int status) {
  return status == 412 || status == 429 || (status >= 500 && status != 501);
}

/// Vault's own client does not try again after a bad certificate either.
bool may_pass(const Error& error) {
  if (net::is_tls_refusal(error)) return false;
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::not_found ||
         error.kind == ErrorKind::protocol;
}

bool same_server(const net::Address& a, const net::Address& b) {
  return a.host == b.host && a.port == b.port && a.tls == b.tls && a.unix_path == b.unix_path;
}

/// 100 to 150 % of `least`: executors that failed together must not come back together.
Duration jittered(Duration least) {
  static std::minstd_rand random(std::random_device{}());
  return least * std::uniform_int_distribution<int>(100, 150)(random) / 100;
}

/// Retry-After in seconds; its other form, a date, is not used by Vault.
Duration wait_asked(std::string_view text) {
  int seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool number = ec == std::errc{} && end == text.data() + text.size() && seconds > 0;
  return std::chrono::seconds(number ? seconds : 0);
}

}  // namespace

Error Reply::error() const {
  return {kind_of_http_status(status), where + ": " + said(status, body.text()), status};
}

Result<Answer> Reply::answer() const {
  if (!ok()) return error();
  if (body.empty()) return Answer();
  auto parsed = Answer::parse(body.text());
  if (!parsed) return parsed.error().during(where);
  return parsed;
}

Result<net::Url> redirect_target(const net::Url& from, std::string_view location) {
  const std::string shown = "redirect to " + one_line(location.substr(0, location.find('?')), 200);
  if (location.starts_with('/') && !location.starts_with("//")) {
    net::Url url = from;
    url.path = location;
    return url;
  }
  auto url = net::parse_url(location);
  if (!url || url->address.is_unix())
    return Error{ErrorKind::refused, shown + " is no way to a Vault"};
  if (from.address.tls && !url->address.tls) {
    return Error{ErrorKind::refused,
                 shown + " is not followed: from https to http, the token would be readable"};
  }
  return url;
}

Client::Client(asio::any_io_executor executor, const Settings& settings, const Lookup& environment,
               net::Cancellation& cancellation)
    : executor_(std::move(executor)),
      settings_(settings),
      environment_(environment),
      cancellation_(cancellation) {}

asio::awaitable<Result<Answer>> Client::ask(Call call) {
  const auto reply = co_await this->call(std::move(call));
  if (!reply) co_return reply.error();
  co_return reply->answer();
}

asio::awaitable<Result<Reply>> Client::call(Call call) {
  const SteadyTime end = SteadyClock::now() + std::min<Duration>(call.limit, settings_.timeout);
  for (int retries = 0;; ++retries) {
    auto tried = co_await attempt(call, end);
    if (cancellation_.cancelled()) co_return Error{ErrorKind::cancelled, "cancelled"};
    const bool again = tried ? may_pass(tried->reply.status) : may_pass(tried.error());
    if (!again || retries >= settings_.max_retries) {
      if (!tried) co_return tried.error();
      co_return std::move(tried->reply);
    }
    Duration wait = jittered(settings_.retry_wait);
    if (tried) wait = std::max(wait, wait_asked(tried->head.header("Retry-After")));
    if (SteadyClock::now() + wait >= end) {
      if (!tried) co_return tried.error();
      co_return std::move(tried->reply);
    }
    if (!co_await net::sleep_for(wait, cancellation_))
      co_return Error{ErrorKind::cancelled, "cancelled"};
  }
}

/// Follows redirects; at most one of them to another server.
asio::awaitable<Result<Client::Attempt>> Client::attempt(const Call& call, SteadyTime end) {
  net::Url url = settings_.url;
  url.path += "/v1/" + call.path;
  bool moved = false;
  for (int redirects = 0;; ++redirects) {
    auto tried = co_await send(call, url, end);
    if (!tried || !is_redirect(tried->reply.status)) co_return tried;
    const std::string where = tried->reply.where;
    auto next = redirect_target(url, tried->head.header("Location"));
    if (!next) co_return next.error().during(where);
    const bool moves = !same_server(next->address, url.address);
    if (redirects == most_redirects || (moves && moved)) {
      co_return Error{ErrorKind::refused, where + ": redirected too often"};
    }
    moved = moved || moves;
    url = std::move(*next);
  }
}

asio::awaitable<Result<Client::Attempt>> Client::send(const Call& call, const net::Url& url,
                                                      SteadyTime end) {
  auto address = reachable(url.address);
  if (!address) co_return address.error();
  auto connection = connection_to(*address);
  if (!connection) co_return connection.error();
  Attempt out;
  const std::string path =
      call.shown.empty() ? url.path.substr(0, url.path.find('?')) : "/v1/" + call.shown;
  out.reply.where = call.method + " " + url.address.display() + path;
  const Duration left = std::max<Duration>(end - SteadyClock::now(), Duration(1));
  auto response = co_await connection->exchange(request_of(call, url.path), left, answer_limit);
  if (!response) co_return response.error().during(call.method + " " + path);
  out.reply.status = response->status;
  out.reply.body = Secret(std::move(response->body));
  out.head = std::move(*response);
  if (connection->is_open() && idle_.size() < most_idle) idle_.push_back(std::move(*connection));
  co_return out;
}

/// With what is needed to get there.
Result<net::Address> Client::reachable(net::Address address) {
  if (address.tls) {
    if (!tls_) {
      auto made = make_tls(settings_);
      if (!made) return made.error();
      tls_ = std::move(*made);
    }
    address.tls_context = tls_;
  }
  if (address.is_unix()) return address;
  auto proxy = settings_.proxy;
  if (!proxy) {
    auto found = net::proxy_from_environment(environment_, address);
    if (!found) return found.error();
    proxy = std::move(*found);
  }
  if (proxy) address.proxy = std::make_shared<const net::Proxy>(std::move(*proxy));
  return address;
}

Result<net::HttpConnection> Client::connection_to(const net::Address& address) {
  const auto kept = std::find_if(idle_.begin(), idle_.end(), [&address](const auto& connection) {
    return same_server(connection.address(), address);
  });
  if (kept == idle_.end()) return net::HttpConnection(executor_, address, &cancellation_);
  net::HttpConnection connection = std::move(*kept);
  idle_.erase(kept);
  return connection;
}

net::HttpRequest Client::request_of(const Call& call, const std::string& target) const {
  net::HttpRequest request;
  request.method = call.method;
  request.target = target;
  request.headers = {{"X-Vault-Request", "true"}};
  if (!call.token.empty()) request.headers.emplace_back("X-Vault-Token", call.token.text());
  if (!settings_.name_space.empty())
    request.headers.emplace_back("X-Vault-Namespace", settings_.name_space);
  request.body = call.body.text();
  if (!request.body.empty()) request.content_type = "application/json";
  return request;
}

}  // namespace sidecar_executor::vault
