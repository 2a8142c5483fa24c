// The executor as a child process, started and ended as an agent does it.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <string>
#include <vector>

namespace mini_agent {

struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;  // not 0: killed by it
};

struct ProcessStart {
  std::vector<std::string> command;      // [0] is a path
  std::vector<std::string> environment;  // all of it, NAME=VALUE
  std::string sandbox;                   // its folder; gets the files stdout and stderr
};

class ExecutorProcess {
 public:
  using OnEnd = std::function<void(ProcessEnd)>;

  explicit ExecutorProcess(boost::asio::io_context& io) : exit_(io) {}
  ~ExecutorProcess();

  // Own session, fd 0 /dev/null, 1 and 2 appended to the sandbox's files, umask 0022, no other
  // descriptor, default signals. Throws std::runtime_error when it cannot be executed.
  void start(const ProcessStart& what, OnEnd on_end);

  // SIGKILL for what is in the session, the group or the tree below it, as agents do; no SIGTERM.
  void kill_all() const;
  bool running() const { return running_; }
  pid_t pid() const { return pid_; }

 private:
  void wait();
  void reap();

  boost::asio::posix::stream_descriptor exit_;
  OnEnd on_end_;
  pid_t pid_ = -1;
  bool running_ = false;
};

}  // namespace mini_agent
