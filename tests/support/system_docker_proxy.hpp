#pragma once
// A unix socket between an executor and dockerd: a test sees each request and each piece of an
// answer, may hold it, and may break the connection there. So a daemon can be killed at an exact
// point of a launch.

#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

namespace sx_test {

class DockerProxy {
 public:
  /// `line` is the request's first line. `answer` is empty before the request is passed on, else a
  /// piece of the answer before that is passed on. True breaks the connection. Called by a thread
  /// of the connection's own; it may wait.
  using Gate = std::function<bool(const std::string& line, std::string_view answer)>;

  /// `host`: the daemon, as in DOCKER_HOST (unix://...).
  DockerProxy(const std::string& socket, const std::string& host, Gate gate);
  ~DockerProxy();
  DockerProxy(const DockerProxy&) = delete;
  DockerProxy& operator=(const DockerProxy&) = delete;

  /// For the executor's DOCKER_HOST.
  [[nodiscard]] std::string host() const { return "unix://" + socket_; }

 private:
  void accept_all();
  void serve(int client) const;

  std::string socket_;
  std::string daemon_;
  Gate gate_;
  int listener_ = -1;
  int end_[2] = {-1, -1};  // a pipe: closed when all has to end
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace sx_test
