// https for a server that speaks http: a TLS connection becomes one end of a socket pair.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "tls_files.hpp"

namespace mini_agent {

class TlsEntrance {
 public:
  // Throws boost::system::system_error when a file cannot be used.
  explicit TlsEntrance(const TlsFiles& files);
  ~TlsEntrance();

  // What comes out is plain. It ends when the handshake fails or either side closes.
  boost::asio::generic::stream_protocol::socket enter(boost::asio::ip::tcp::socket socket);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace mini_agent
