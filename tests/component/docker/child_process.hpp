#pragma once
// A process that stands for a container's init, and a /proc that says which container it is in.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/run.hpp"

namespace sidecar_executor::docker {

inline const std::string container_id(64, 'a');

class ChildProcess {
 public:
  ChildProcess() : pid_(::fork()) {
    if (pid_ == 0) {
      for (;;) ::pause();
    }
  }
  ~ChildProcess() {
    end();
    reap();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void end() const {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
  }
  void reap() {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

class FakeProc {
 public:
  void write(pid_t pid, const std::string& cgroup) {
    std::filesystem::create_directories(folder_.path() / std::to_string(pid));
    std::ofstream(folder_.path() / std::to_string(pid) / "cgroup") << cgroup;
  }
  void in_container(pid_t pid) { write(pid, "4:memory:/docker/" + container_id + "\n0::/\n"); }
  [[nodiscard]] std::string path() const { return folder_.path().string(); }

 private:
  test::TempDir folder_;
};

}  // namespace sidecar_executor::docker
