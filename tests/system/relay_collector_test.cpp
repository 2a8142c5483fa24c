// The collectors of docs/logging.md, with the configurations that stand there.
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/collector.hpp"
#include "support/system.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// The block of the page that begins with this word behind its fence.
std::string block(const std::string& name) {
  const std::string page = read_file(SX_SOURCE_DIR "/docs/logging.md");
  const std::string fence = "```" + name + "\n";
  const auto from = page.find(fence);
  const auto to = page.find("```", from + fence.size());
  EXPECT_NE(from, std::string::npos) << name;
  return from == std::string::npos ? ""
                                   : page.substr(from + fence.size(), to - from - fence.size());
}

void replace(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << "docs/logging.md has no " << from;
  text.replace(at, from.size(), to);
}

template <class F>
bool eventually(F done, std::chrono::seconds limit = 20s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

/// One that runs, on loopback, with everything of its own in a folder.
class RealCollector {
 public:
  explicit RealCollector(const std::string& name) {
    char pattern[] = "/tmp/sxc-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern), nullptr);
    folder_ = pattern;
    // Free a moment ago, and of this host's tests alone.
    udp_ = Collector(Collector::Kind::udp).port();
    tcp_ = Collector(Collector::Kind::tcp).port();
    std::string config = block(name);
    replace(config, "10514", std::to_string(udp_));
    replace(config, "10515", std::to_string(tcp_));
    replace(config, "/run/containers.sock", socket());
    replace(config, "/var/log/containers.log", file());
    std::ofstream(folder_ + "/config") << config;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      const std::string script = SX_SOURCE_DIR "/scripts/collectors.sh";
      ::execl(script.c_str(), script.c_str(), name.c_str(), (folder_ + "/config").c_str(),
              folder_.c_str(), nullptr);
      ::_exit(127);
    }
    EXPECT_TRUE(eventually([this] { return fs::exists(socket()) && takes_tcp(); }))
        << name << " does not start";
  }
  ~RealCollector() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    const bool gone = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    EXPECT_TRUE(gone) << "the collector does not end";
    if (!gone) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
    }
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  RealCollector(const RealCollector&) = delete;
  RealCollector& operator=(const RealCollector&) = delete;

  [[nodiscard]] std::string socket() const { return folder_ + "/log.sock"; }
  [[nodiscard]] std::string file() const { return folder_ + "/containers.log"; }
  [[nodiscard]] std::string address(const std::string& protocol) const {
    if (protocol == "unix") return socket();
    return "127.0.0.1:" + std::to_string(protocol == "tcp" ? tcp_ : udp_);
  }

 private:
  [[nodiscard]] bool takes_tcp() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(static_cast<std::uint16_t>(tcp_));
    const bool taken = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return taken;
  }

  std::string folder_;
  int udp_ = 0;
  int tcp_ = 0;
  pid_t pid_ = -1;
};

class RelayCollectorTest : public SystemTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RelayCollectorTest, GetsTheFieldsOverEachProtocol) {
  RealCollector collector(GetParam());
  for (const std::string protocol : {"udp", "tcp", "unix"}) {
    TaskBuilder task("/bin/sh -c 'echo \"" + protocol + ": <one> two\"; echo an Error >&2'");
    task.docker()["network"] = "NONE";
    task.parameter("label", "ServiceName=svc");
    RunOptions options;
    options.executor_environment = {{"EXECUTOR_RELAY_SYSLOG", "true"},
                                    {"EXECUTOR_SYSLOG_ADDR", collector.address(protocol)},
                                    {"EXECUTOR_SYSLOG_PROTOCOL", protocol},
                                    {"EXECUTOR_SEND_DOCKER_LABELS", "ServiceName"},
                                    {"EXECUTOR_LOG_HOSTNAME", "host-1"}};
    const auto run = run_task(task, options);
    EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
    const auto has = [&](const std::string& head, const std::string& tail) {
      const std::string got = read_file(collector.file());
      const auto at = got.rfind(head);
      if (at == std::string::npos) return false;
      const auto end = got.find('\n', at);
      return got.substr(at, end - at).ends_with(tail);
    };
    EXPECT_TRUE(eventually([&] {
      return has("svc|host-1|info|20", "Z|" + protocol + ": <one> two") &&
             has("svc|host-1|error|20", "Z|an Error");
    })) << protocol
        << "\n"
        << read_file(collector.file()) << run.out;
    fs::resize_file(collector.file(), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Real, RelayCollectorTest, ::testing::Values("rsyslog", "syslog-ng"),
                         [](const auto& info) {
                           return std::string(info.param) == "rsyslog" ? "Rsyslog" : "SyslogNg";
                         });

}  // namespace
}  // namespace sx_test
