// The containers that run on this host, as Sidecar's discovery sees them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>

namespace mini_agent {

// First 12 characters of the id -> image. Without those labelled SidecarDiscover=false.
using Services = std::map<std::string, std::string>;

// From the body of GET /containers/json; throws std::exception when it is none.
Services services_of(const std::string& body);

class ContainerWatch {
 public:
  // "unix:///var/run/docker.sock", or empty for that. Throws std::runtime_error for anything else.
  ContainerWatch(boost::asio::io_context& io, const std::string& docker_host);

  void start();
  void stop();
  // As the daemon last said; it stays so while the daemon does not answer.
  const Services& known() const { return state_->known; }

 private:
  struct State {
    explicit State(boost::asio::io_context& io) : socket(io), wake(io) {}
    std::string path;
    boost::asio::local::stream_protocol::socket socket;
    boost::asio::steady_timer wake;
    Services known;
    bool stopped = false;
  };
  static boost::asio::awaitable<void> run(std::shared_ptr<State> state);
  boost::asio::io_context& io_;
  std::shared_ptr<State> state_;
};

}  // namespace mini_agent
