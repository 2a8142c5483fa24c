#include "support/system_private_docker.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/system.hpp"

namespace sx_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// Polls: processes of others cannot be waited for.
template <class F>
bool eventually(F done, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// Daemons and shims that have the folder in their command line; its name is unique.
std::vector<pid_t> processes_of(const std::string& folder) {
  std::vector<pid_t> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == ::getpid()) continue;
    if (read_file(entry.path() / "cmdline").find(folder + "/") != std::string::npos)
      out.push_back(pid);
  }
  return out;
}

}  // namespace

PrivateDocker::PrivateDocker(LiveRestore live_restore) {
  char pattern[] = "/tmp/sxd-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = pattern;
  fs::create_directory(folder_ + "/shared");
  std::ofstream(folder_ + "/daemon.json") << "{}\n";
  if (const char* host = ::getenv("DOCKER_HOST")) {
    host_before_ = host;
    had_host_ = true;
  }
  ::setenv("DOCKER_HOST", ("unix://" + folder_ + "/d.sock").c_str(), 1);
  start(live_restore);
  const auto made = run_command({SX_SOURCE_DIR "/scripts/make-image.sh", "sx-test:1"}, 120s);
  EXPECT_EQ(made.code, 0) << made.output << read_file(folder_ + "/log");
}

PrivateDocker::~PrivateDocker() {
  if (pid_ > 0) {
    go_on();
    end(SIGTERM);
  }
  end_leftovers();
  std::ifstream mounts("/proc/self/mounts");
  std::vector<std::string> targets;
  for (std::string device, target, rest; mounts >> device >> target && std::getline(mounts, rest);)
    if (target.starts_with(folder_ + "/")) targets.insert(targets.begin(), target);
  for (const auto& target : targets) run_command({"umount", "-l", target});
  std::error_code failed;
  fs::remove_all(folder_, failed);
  EXPECT_FALSE(failed) << folder_ << ": " << failed.message();
  had_host_ ? ::setenv("DOCKER_HOST", host_before_.c_str(), 1) : ::unsetenv("DOCKER_HOST");
}

/// Containers first: a shim's children are the container.
void PrivateDocker::end_leftovers() const {
  for (const pid_t pid : processes_of(folder_)) {
    const std::string children =
        read_file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
    // Only a shim's: dockerd and containerd are ended by their own signal.
    if (read_file("/proc/" + std::to_string(pid) + "/cmdline").find("shim") != std::string::npos) {
      std::istringstream words(children);
      for (pid_t child = 0; words >> child;) ::kill(child, SIGKILL);
    }
    ::kill(pid, SIGKILL);
  }
  EXPECT_TRUE(eventually([this] { return processes_of(folder_).empty(); }, 10s));
}

void PrivateDocker::start(LiveRestore live_restore) {
  std::vector<std::string> argv{"dockerd",
                                "--config-file",
                                folder_ + "/daemon.json",
                                "--data-root",
                                folder_ + "/data",
                                "--exec-root",
                                folder_ + "/exec",
                                "--pidfile",
                                folder_ + "/pid",
                                "-H",
                                "unix://" + folder_ + "/d.sock",
                                "--group",
                                "root",
                                "--bridge",
                                "none",
                                "--iptables=false",
                                "--ip6tables=false",
                                "--ip-forward=false",
                                "--ip-masq=false",
                                "--shutdown-timeout",
                                "5"};
  if (live_restore == LiveRestore::yes) argv.emplace_back("--live-restore");
  std::vector<char*> args;
  args.reserve(argv.size() + 1);
  for (auto& a : argv) args.push_back(a.data());
  args.push_back(nullptr);
  const int log =
      ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::unsetenv("DOCKER_HOST");
    ::execvp(args[0], args.data());
    ::_exit(127);
  }
  ::close(log);
  ASSERT_TRUE(eventually([this] { return answers(); }, 60s)) << read_file(folder_ + "/log");
}

bool PrivateDocker::answers() const {
  return run_command({"curl", "-q", "-s", "-o", "/dev/null", "--max-time", "2", "--unix-socket",
                      folder_ + "/d.sock", "http://d/_ping"})
             .code == 0;
}

void PrivateDocker::end(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  int status = 0;
  const bool gone = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 30s);
  EXPECT_TRUE(gone) << "dockerd does not end";
  if (!gone) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
}

void PrivateDocker::stop() { end(SIGTERM); }
void PrivateDocker::kill() {
  const pid_t containerd =
      std::atoi(read_file(folder_ + "/exec/containerd/containerd.pid").c_str());
  end(SIGKILL);
  // It dies with dockerd; a new dockerd must not find it still dying.
  if (containerd <= 1) return;
  const std::string proc = "/proc/" + std::to_string(containerd) + "/cmdline";
  EXPECT_TRUE(eventually([&] { return read_file(proc).find(folder_) == std::string::npos; }, 10s));
  // An init that reaps late leaves a zombie, which dockerd takes for a containerd that runs.
  std::error_code ignored;
  fs::remove(folder_ + "/exec/containerd/containerd.pid", ignored);
}
void PrivateDocker::hang() { ::kill(pid_, SIGSTOP); }
void PrivateDocker::go_on() { ::kill(pid_, SIGCONT); }

}  // namespace sx_test
