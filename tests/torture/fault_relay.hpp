#pragma once
// Between the executor and dockerd (a unix socket), or in place of a syslog collector (TCP): passes
// bytes on until it is told to do harm.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace sx_torture {

class FaultRelay {
 public:
  enum class Mode { pass, hang, slow, refuse };
  /// The first line of a request, before it is passed on, and again (`answered`) before the first
  /// piece of its answer is. Called by the connection's thread; what it does to this relay is done
  /// to that very request or answer.
  using Seen = std::function<void(const std::string& line, bool answered)>;

  FaultRelay(std::string listen_path, std::string upstream_path, Seen seen);
  FaultRelay();  ///< a TCP port of loopback that takes everything
  ~FaultRelay();
  FaultRelay(const FaultRelay&) = delete;
  FaultRelay& operator=(const FaultRelay&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string docker_host() const { return "unix://" + path_; }

  void set(Mode mode);
  void cut();         ///< every connection of now; RST on TCP
  void garble();      ///< the next piece that goes to the executor
  void refuse_one();  ///< answers the next request with 500

 private:
  struct Connection;
  void listen(int fd);
  void accept_all();
  void serve(int client);
  bool take_request(Connection& connection, std::string_view bytes);
  bool take_answer(Connection& connection, std::string_view bytes);
  bool send(int fd, std::string_view bytes);
  /// False: the connection is to end.
  bool held();

  std::string path_;
  std::string upstream_;
  Seen seen_;
  int listener_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  Mode mode_ = Mode::pass;
  bool over_ = false;
  std::set<int> open_;  ///< clients; closed by their own threads
  std::atomic<bool> garble_{false};
  std::atomic<bool> refuse_{false};
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace sx_torture
