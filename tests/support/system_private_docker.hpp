#pragma once
// A dockerd of one test's own, which it may stop, kill, hang and restart. Nothing is shared with
// other daemons: own sockets, data and containerd; no bridge, so tasks use network NONE.

#include <sys/types.h>

#include <string>

namespace sx_test {

class PrivateDocker {
 public:
  enum class LiveRestore { no, yes };

  /// Starts it, makes the test image and sets DOCKER_HOST for this process.
  explicit PrivateDocker(LiveRestore live_restore);
  /// Ends containers and daemons, removes all files; DOCKER_HOST is as before.
  ~PrivateDocker();
  PrivateDocker(const PrivateDocker&) = delete;
  PrivateDocker& operator=(const PrivateDocker&) = delete;

  void start(LiveRestore live_restore);  ///< returns when it answers
  void stop();                           ///< SIGTERM; returns when it has gone
  void kill();                           ///< SIGKILL; returns when it has gone
  void hang();                           ///< SIGSTOP
  void go_on();                          ///< SIGCONT
  [[nodiscard]] bool answers() const;
  /// Its files; `shared` below it is for tests to mount into containers.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string host() const { return "unix://" + folder_ + "/d.sock"; }

 private:
  void end(int signal);
  void end_leftovers() const;

  std::string folder_;
  std::string host_before_;
  bool had_host_ = false;
  pid_t pid_ = -1;
};

}  // namespace sx_test
