#include "tls_entrance.hpp"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace mini_agent {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

// One connection: both pumps hold it, the first that ends closes it for the other.
struct Passage {
  asio::ssl::stream<asio::ip::tcp::socket> outside;
  stream_protocol::socket inside;

  void close() {
    boost::system::error_code ignored;
    outside.next_layer().close(ignored);
    inside.close(ignored);
  }
};

template <class From, class To>
asio::awaitable<void> pump(std::shared_ptr<Passage> passage, From& from, To& to) {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  std::array<char, 16 * 1024> bytes{};
  while (!error) {
    const std::size_t got = co_await from.async_read_some(asio::buffer(bytes), token);
    if (error) break;
    const auto piece = asio::buffer(bytes.data(), got);
    co_await asio::async_write(to, piece, token);
  }
  passage->close();
}

asio::awaitable<void> admit(std::shared_ptr<Passage> passage) {
  boost::system::error_code error;
  co_await passage->outside.async_handshake(asio::ssl::stream_base::server,
                                            asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    passage->close();
    co_return;
  }
  asio::co_spawn(passage->inside.get_executor(), pump(passage, passage->inside, passage->outside),
                 asio::detached);
  co_await pump(passage, passage->outside, passage->inside);
}

}  // namespace

struct TlsEntrance::Context {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

TlsEntrance::TlsEntrance(const TlsFiles& files) : context_(std::make_unique<Context>()) {
  auto& context = context_->context;
  context.use_certificate_chain_file(files.certificate);
  context.use_private_key_file(files.key, asio::ssl::context::pem);
  if (files.client_authority.empty()) return;
  context.load_verify_file(files.client_authority);
  context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
}

TlsEntrance::~TlsEntrance() = default;

stream_protocol::socket TlsEntrance::enter(asio::ip::tcp::socket socket) {
  const auto executor = socket.get_executor();
  asio::local::stream_protocol::socket plain(executor);
  asio::local::stream_protocol::socket inside(executor);
  asio::local::connect_pair(plain, inside);
  auto passage = std::make_shared<Passage>(
      Passage{{std::move(socket), context_->context}, stream_protocol::socket(std::move(inside))});
  asio::co_spawn(executor, admit(std::move(passage)), asio::detached);
  return stream_protocol::socket(std::move(plain));
}

}  // namespace mini_agent
