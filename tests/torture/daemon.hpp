#pragma once
// The one dockerd of all tasks, and its absences. It is started and ended by a thread of this
// object only: it ends with the thread that started it.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>

#include "torture/scenario.hpp"

namespace sx_torture {

class Daemon {
 public:
  Daemon();  ///< returns when it answers and holds the test image; throws
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] std::string socket() const { return socket_; }
  /// Returns when it has gone (or hangs); it comes back by itself after fault.length. Nothing
  /// happens while another task has sent it away: false.
  bool leave(const Fault& fault);
  /// So far; changes as soon as one begins.
  [[nodiscard]] int absences();
  /// Runs `work` while it is there for the whole time.
  void while_present(const std::function<void()>& work);

 private:
  enum class State { starting, present, leaving, away, failed };
  void live();
  void absence(const Fault& fault);
  void become(State state);

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::starting;
  int users_ = 0;
  int absences_ = 0;
  bool over_ = false;
  std::optional<Fault> asked_;
  std::string socket_;
  std::thread thread_;
};

}  // namespace sx_torture
