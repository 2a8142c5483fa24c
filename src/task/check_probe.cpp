#include "task/check_probe.hpp"

#include <algorithm>

#include "base/redact.hpp"
#include "base/text.hpp"
#include "docker/frames.hpp"

namespace sidecar_executor::task {
namespace {

using std::chrono::steady_clock;

constexpr int most_redirects = 10;
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t longest_line = 200;
constexpr std::size_t longest_read = 4096;

/// An address shows itself as one of HTTP.
std::string without_scheme(const std::string& text) {
  constexpr std::string_view scheme = "http://";
  return text.starts_with(scheme) ? text.substr(scheme.size()) : text;
}

net::Address address_of(const CheckTarget& target, bool v6, std::uint16_t port) {
  net::Address address;
  address.host = v6 ? target.v6 : target.v4;
  address.port = port;
  return address;
}

CheckResult no_address(const CheckTarget& target, bool v6) {
  if (!target.known) return NotPerformed{"Docker has not told yet where the container is"};
  return NoResult{std::string("the container has no ") + (v6 ? "IPv6" : "IPv4") +
                  " address that could be asked"};
}

/// The last line of an output that is not blank, as far as it is of use in a message.
class LastLine {
 public:
  void feed(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        end_line();
      } else if (line_.size() < longest_read) {
        line_ += c;
      }
    }
  }
  std::string take() {
    end_line();
    // Half a URL does not show that there is a password in it: cut afterwards, but for the rest of
    // a word that was not read to its end.
    const auto word = last_.find_last_of(" \t") + 1;
    if (last_.size() == longest_read && last_.find_first_of("=:", word) != std::string::npos)
      last_.resize(word);
    return one_line(redact_line(last_), longest_line);
  }

 private:
  void end_line() {
    if (line_.find_first_not_of(" \t\r") != std::string::npos) last_ = line_;
    line_.clear();
  }
  std::string line_;
  std::string last_;
};

}  // namespace

CheckProbe::CheckProbe(asio::any_io_executor executor, docker::Engine& engine,
                       net::Cancellation& cancellation)
    : executor_(std::move(executor)), engine_(engine), cancellation_(cancellation) {}

asio::awaitable<CheckResult> CheckProbe::run(const mesos::Check& check, CheckTarget target) {
  const SteadyTime end = net::end_of(check.timeout);
  CheckResult seen;
  if (const auto* http = std::get_if<mesos::HttpCheck>(&check.kind)) {
    seen = co_await ask(*http, target, end);
  } else if (const auto* tcp = std::get_if<mesos::TcpCheck>(&check.kind)) {
    seen = co_await connect(*tcp, target, check.timeout);
  } else {
    seen = co_await execute(std::get<mesos::CommandCheck>(check.kind), target.container_id, end);
  }
  const bool late = std::holds_alternative<NoResult>(seen) && steady_clock::now() >= end;
  if (late) seen = NoResult{"no result within " + net::limit_text(check.timeout)};
  co_return seen;
}

// ---- HTTP --------------------------------------------------------------------------------------

/// As `curl -k`: the certificate is of a name that nobody here knows.
Result<std::shared_ptr<const net::TlsContext>> CheckProbe::tls() {
  if (tls_) return tls_;
  net::TlsSettings settings;
  settings.verify = false;
  auto made = net::TlsContext::make(settings);
  if (made) tls_ = *made;
  return made;
}

/// To its end, as curl does: a body that stays away is a failure, too.
asio::awaitable<CheckResult> CheckProbe::ask(const mesos::HttpCheck& http,
                                             const CheckTarget& target, SteadyTime end) {
  HttpPlace place{http.tls, http.port, http.path};
  net::Address address = address_of(target, http.v6, http.port);
  if (address.host.empty()) co_return no_address(target, http.v6);
  for (int hop = 0; hop <= most_redirects; ++hop) {
    address.port = place.port;
    address.tls = place.tls;
    if (place.tls) {
      const auto context = tls();
      if (!context) co_return NotPerformed{context.error().message};
      address.tls_context = *context;
    }
    net::HttpRequest request;
    request.target = place.path;
    // What a client inside of the container would say; some services look at it.
    request.headers = {{"Host", (http.v6 ? "[::1]:" : "127.0.0.1:") + std::to_string(place.port)},
                       {"Accept", "*/*"}};
    net::HttpConnection connection(executor_, address, &cancellation_);
    const auto head = co_await connection.open(std::move(request), net::left_until(end));
    if (!head) co_return NoResult{head.error().message};
    std::string bytes(read_size, '\0');
    for (;;) {
      const auto got =
          co_await connection.read_some(bytes.data(), bytes.size(), net::left_until(end));
      if (!got) co_return NoResult{got.error().message};
      if (*got == 0) break;
    }
    const bool asks_to_go_on = head->status >= 300 && head->status <= 399;
    const auto next =
        asks_to_go_on ? redirected(place, head->header("Location"), address.host) : std::nullopt;
    if (!next) co_return Answered{head->status};
    place = *next;
  }
  co_return NoResult{"more than " + std::to_string(most_redirects) + " redirects"};
}

// ---- TCP ---------------------------------------------------------------------------------------

asio::awaitable<CheckResult> CheckProbe::connect(const mesos::TcpCheck& tcp,
                                                 const CheckTarget& target, net::Duration timeout) {
  const net::Address address = address_of(target, tcp.v6, tcp.port);
  if (address.host.empty()) co_return no_address(target, tcp.v6);
  net::HttpConnection connection(executor_, address, &cancellation_);
  const auto connected = co_await connection.connect(timeout);
  connection.close();
  if (connected) co_return Connected{};
  if (connected.error().kind == ErrorKind::timeout) co_return NoResult{connected.error().message};
  co_return NotConnected{without_scheme(connected.error().message)};
}

// ---- a command ---------------------------------------------------------------------------------

asio::awaitable<CheckResult> CheckProbe::execute(const mesos::CommandCheck& command,
                                                 std::string container_id, SteadyTime end) {
  auto earlier = co_await earlier_command();
  if (earlier) co_return std::move(*earlier);
  const auto exec =
      co_await engine_.create_exec(std::move(container_id), command.argv, command.environment);
  if (!exec) co_return NotPerformed{exec.error().message};
  if (cancellation_.cancelled()) co_return NotPerformed{"cancelled"};
  co_return co_await follow(*exec, end);
}

asio::awaitable<std::optional<CheckResult>> CheckProbe::earlier_command() {
  if (left_behind_.empty()) co_return std::nullopt;
  const auto code = co_await engine_.exec_exit_code(left_behind_);
  if (!code && code.error().kind != ErrorKind::not_found)
    co_return NotPerformed{code.error().message};
  if (code && !*code) co_return NoResult{"the command of an earlier check still runs"};
  left_behind_.clear();
  co_return std::nullopt;
}

/// Its output until it ends. That Docker breaks off says nothing about the task.
asio::awaitable<CheckResult> CheckProbe::follow(std::string exec_id, SteadyTime end) {
  net::HttpConnection connection = engine_.connection(&cancellation_);
  const auto opened = co_await engine_.open_exec(connection, exec_id);
  if (!opened) co_return NotPerformed{opened.error().message};
  docker::FrameDecoder frames(false);
  LastLine last_line;
  std::string bytes(read_size, '\0');
  for (;;) {
    const auto got =
        co_await connection.read_some(bytes.data(), bytes.size(), net::left_until(end));
    if (!got) {
      left_behind_ = exec_id;
      if (got.error().kind != ErrorKind::timeout) co_return NotPerformed{got.error().message};
      co_return NoResult{got.error().message};
    }
    if (*got == 0) break;
    const auto fed = frames.feed(std::string_view(bytes).substr(0, *got),
                                 [&last_line](docker::LogStream, std::string_view payload, bool) {
                                   last_line.feed(payload);
                                 });
    if (!fed) co_return NotPerformed{fed.error().message};
  }
  connection.close();
  co_return co_await exit_of(std::move(exec_id), last_line.take(), end);
}

/// A command may close its output and go on.
asio::awaitable<CheckResult> CheckProbe::exit_of(std::string exec_id, std::string last_line,
                                                 SteadyTime end) {
  constexpr net::Duration longest_pause = std::chrono::seconds(1);
  net::Duration pause = std::chrono::milliseconds(10);
  for (;;) {
    const auto code = co_await engine_.exec_exit_code(exec_id);
    if (!code) co_return NotPerformed{code.error().message};
    if (*code) co_return Exited{**code, std::move(last_line)};
    left_behind_ = exec_id;
    if (steady_clock::now() >= end) co_return NoResult{"its command goes on"};
    if (!co_await net::sleep_for(std::min(pause, net::left_until(end)), cancellation_))
      co_return NotPerformed{"cancelled"};
    left_behind_.clear();
    pause = std::min(2 * pause, longest_pause);
  }
}

}  // namespace sidecar_executor::task
