#include "net/tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "base/text.hpp"
#include "base/version.hpp"

namespace sidecar_executor::net {
namespace asio = boost::asio;

namespace {

constexpr std::size_t head_limit = 16UL * 1024;

std::string request_text(const Address& server, const Proxy& proxy) {
  const std::string where = server.authority();
  std::string text = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where +
                     "\r\nUser-Agent: sidecar-executor/" SX_VERSION "\r\n";
  if (!proxy.authorization.empty()) text += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  return text + "\r\n";
}

/// `HTTP/1.1 200 Connection established`; 0 when it is none.
int status_of(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 12) return 0;
  int status = 0;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

Result<void> judge(std::string_view head, const std::string& name) {
  const int status = status_of(head);
  if (status == 0) return Error{ErrorKind::protocol, name + ": not an HTTP answer"};
  if (status >= 200 && status < 300) return boost::system::in_place_value;
  const std::string text = one_line(head.substr(9, head.find('\r') - 9), 100);
  if (status == 407) {
    return Error{ErrorKind::unauthorized,
                 name + " wants user and password (" + text + "); give them in its URL", status};
  }
  return Error{ErrorKind::refused, name + " does not let us through: " + text, status};
}

}  // namespace

asio::awaitable<Result<void>> open_tunnel(asio::generic::stream_protocol::socket& socket,
                                          const Address& server, const Proxy& proxy) {
  const std::string name = "proxy " + proxy.address.display();
  boost::system::error_code ec;
  const std::string request = request_text(server, proxy);
  for (std::size_t sent = 0; !ec && sent < request.size();) {
    sent += co_await socket.async_write_some(asio::buffer(request) + sent,
                                             asio::redirect_error(asio::use_awaitable, ec));
  }
  std::string head;
  std::string chunk(1024, '\0');
  while (!ec && head.find("\r\n\r\n") == std::string::npos && head.size() < head_limit) {
    const std::size_t got = co_await socket.async_read_some(
        asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, ec));
    head.append(chunk, 0, got);
  }
  if (ec) co_return Error{ErrorKind::unreachable, name + ": " + ec.message()};
  const auto end = head.find("\r\n\r\n");
  const auto judged = judge(end == std::string::npos ? std::string_view() : head, name);
  // A refusal may have a page behind its head. Behind a yes comes nothing before we speak.
  if (judged && !head.ends_with("\r\n\r\n")) co_return judge("", name);
  co_return judged;
}

}  // namespace sidecar_executor::net
