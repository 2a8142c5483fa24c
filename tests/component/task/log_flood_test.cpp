// A container that writes fast: what is read costs few wakeups, whatever the number of lines.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include "base/file.hpp"
#include "support/collector.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "task/log_follow.hpp"

namespace sidecar_executor::task {
namespace {

using sx_test::Collector;
using namespace std::chrono_literals;

constexpr int lines = 4000;

std::string entry(int n) {
  const std::string digits = std::to_string(n);
  const std::string text =
      "2026-01-02T15:04:05." + std::string(9 - digits.size(), '0') + digits + "Z a line\n";
  std::string frame{1, 0, 0, 0, 0, 0, 0, static_cast<char>(text.size())};
  return frame + text;
}

/// dockerd's log endpoint: a write for each line. In a thread of its own, as its wakeups are not
/// the reader's.
class Flood {
 public:
  explicit Flood(const std::string& path) : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~Flood() { thread_.join(); }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

 private:
  void run() {
    const FileDescriptor peer(::accept(listener_.get(), nullptr, nullptr));
    begin_answer(peer.get());
    for (int n = 1; n <= lines; ++n) {
      say(peer.get(), test::chunk(entry(n)));
      // As long as dockerd takes for a line; no sleep is that short.
      const auto until = std::chrono::steady_clock::now() + 20us;
      while (std::chrono::steady_clock::now() < until) continue;
    }
    say(peer.get(), test::chunk(""));
    const FileDescriptor last_look(::accept(listener_.get(), nullptr, nullptr));
    begin_answer(last_look.get());
    say(last_look.get(), test::chunk(""));
  }
  static void begin_answer(int fd) {
    std::array<char, 1024> request{};
    ASSERT_GT(::recv(fd, request.data(), request.size(), 0), 0);
    say(fd, test::chunked_head());
  }
  static void say(int fd, const std::string& bytes) {
    ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  FileDescriptor listener_;
  std::thread thread_;
};

long wakeups() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

TEST(LogFloodTest, AWakeupIsForManyLines) {
  test::Loop loop;
  const test::TempDir folder;
  Collector collector(Collector::Kind::udp);
  relay::SinkConfig config;
  config.address.host = "127.0.0.1";
  config.address.port = static_cast<std::uint16_t>(collector.port());
  relay::Sink sink(loop.executor(), config, {[](const Error&) {}, [] {}});
  relay::LogRelay relay(sink, {SyslogFormat::json, "h", "c", {}}, nullptr);
  OutputBuffer out(STDERR_FILENO);
  Log log(out);
  net::Address address;
  address.unix_path = folder / "docker";
  docker::Engine engine(loop.executor(), docker::EngineAddress{address, "1.41"});
  LogFollow follow(loop.executor(), engine, relay, log, {"0123456789abcdef", false});
  const Flood flood(address.unix_path);
  follow.container_ended();

  const long before = wakeups();
  EXPECT_TRUE(loop.run([&] { return follow.run(); }));
  EXPECT_LT(wakeups() - before, lines / 10);
  EXPECT_EQ(relay.counters().lines, static_cast<std::uint64_t>(lines));
  EXPECT_TRUE(collector.wait_for(lines + 1));
}

}  // namespace
}  // namespace sidecar_executor::task
