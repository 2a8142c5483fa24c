#include "executor_process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

namespace mini_agent {
namespace {

// Asio's sockets are not close-on-exec.
void close_from(unsigned first) { ::syscall(SYS_close_range, first, ~0U, 0U); }

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

bool open_as(const std::string& path, int flags, int wanted) {
  const int fd = ::open(path.c_str(), flags, 0644);
  if (fd < 0) return false;
  if (fd == wanted) return true;
  const bool done = ::dup2(fd, wanted) == wanted;
  ::close(fd);
  return done;
}

// In the child. Descriptor `report` gets errno when something fails before exec.
[[noreturn]] void become(const ProcessStart& what, char** argv, char** envp, int report) {
  ::setsid();
  ::umask(0022);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int append = O_WRONLY | O_CREAT | O_APPEND;
  constexpr int kReport = 3;
  if (report != kReport) ::dup2(report, kReport);
  if (::chdir(what.sandbox.c_str()) == 0 && open_as("/dev/null", O_RDONLY, 0) &&
      open_as(what.sandbox + "/stdout", append, 1) &&
      open_as(what.sandbox + "/stderr", append, 2)) {
    ::fcntl(kReport, F_SETFD, FD_CLOEXEC);
    close_from(kReport + 1);
    ::execve(argv[0], argv, envp);
  }
  const int error = errno;
  if (::write(kReport, &error, sizeof(error)) < 0) ::_exit(126);
  ::_exit(127);
}

struct Relation {
  pid_t parent = 0, group = 0, session = 0;
};

// /proc/PID/stat: the name in parentheses may hold anything, so read on behind the last one.
std::map<pid_t, Relation> all_processes() {
  std::map<pid_t, Relation> result;
  DIR* folder = ::opendir("/proc");
  if (folder == nullptr) return result;
  while (const dirent* entry = ::readdir(folder)) {
    const auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid <= 0) continue;
    // read() in place of a filebuf's iterators: a process that ends between open and read gives
    // ESRCH, which those throw.
    std::ifstream file("/proc/" + std::string(entry->d_name) + "/stat");
    std::string text(1024, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    const auto end = text.rfind(')');
    Relation r;
    char state = 0;
    if (end != std::string::npos && std::sscanf(text.c_str() + end + 1, " %c %d %d %d", &state,
                                                &r.parent, &r.group, &r.session) == 4) {
      result[pid] = r;
    }
  }
  ::closedir(folder);
  return result;
}

std::set<pid_t> family_of(pid_t leader) {
  std::set<pid_t> family = {leader};
  const auto processes = all_processes();
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [pid, r] : processes) {
      const bool ours = r.session == leader || r.group == leader || family.contains(r.parent);
      if (ours && family.insert(pid).second) grown = true;
    }
  }
  return family;
}

}  // namespace

ExecutorProcess::~ExecutorProcess() {
  // Destroyed before its end was seen (an exception, a test): leave nothing behind.
  if (running_) {
    kill_all();
    ::waitpid(pid_, nullptr, 0);
  }
}

void ExecutorProcess::start(const ProcessStart& what, OnEnd on_end) {
  const auto argv = pointers(what.command);
  const auto envp = pointers(what.environment);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) throw std::runtime_error("pipe: no descriptors left");
  pid_ = ::fork();
  if (pid_ == 0)
    become(what, const_cast<char**>(argv.data()), const_cast<char**>(envp.data()), report[1]);
  ::close(report[1]);
  int error = pid_ < 0 ? errno : 0;
  if (pid_ > 0 && ::read(report[0], &error, sizeof(error)) != sizeof(error)) error = 0;
  ::close(report[0]);
  if (error != 0) {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    throw std::runtime_error("cannot start " + what.command[0] + ": " + std::strerror(error));
  }
  running_ = true;
  on_end_ = std::move(on_end);
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (fd < 0) {
    kill_all();
    throw std::runtime_error(std::string("pidfd_open: ") + std::strerror(errno));
  }
  exit_.assign(fd);
  wait();
}

void ExecutorProcess::wait() {
  exit_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this](boost::system::error_code error) {
                     if (!error) reap();
                   });
}

void ExecutorProcess::reap() {
  // Before waitpid: until then the kernel gives the pid, and the session with its number, to
  // nobody else. An agent destroys the container when the executor ends.
  kill_all();
  int status = 0;
  ::waitpid(pid_, &status, 0);
  running_ = false;
  boost::system::error_code ignored;
  exit_.close(ignored);
  ProcessEnd end;
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.exit_code = WEXITSTATUS(status);
  }
  on_end_(end);
}

void ExecutorProcess::kill_all() const {
  if (!running_) return;
  // Twice: a process may have forked while the first list was read.
  for (int round = 0; round < 2; ++round) {
    for (const pid_t pid : family_of(pid_)) ::kill(pid, SIGKILL);
  }
}

}  // namespace mini_agent
