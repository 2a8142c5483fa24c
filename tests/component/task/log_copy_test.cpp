// What is asked for when a container's last lines are copied.
#include "task/log_copy.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::task {
namespace {

using test::answer;
using test::chunk;
using test::chunked_head;
using namespace std::chrono_literals;

class LogCopyTest : public ::testing::Test {
 protected:
  void TearDown() override {
    server.stop();
    ::close(file);
  }
  /// A daemon of this kind gives one line; what it was asked for.
  std::string asked_of(const std::string& kind,
                       std::optional<std::chrono::system_clock::time_point> end = std::nullopt) {
    server.serve([kind](const test::SeenRequest& request) {
      if (request.target == "/_ping")
        return answer(200, "OK", "Api-Version: 1.41\r\nServer: " + kind + "\r\n");
      return chunked_head() + chunk(std::string("\1\0\0\0\0\0\0\4one\n", 12)) + chunk("");
    });
    docker::Engine engine(loop.executor(), docker::EngineAddress{server.address(), ""});
    EXPECT_TRUE(loop.run([&] { return engine.negotiate(); }).has_value());
    LogCopyRequest request{"0123456789abcdef", 180s, false, 5s, folder.path().string(), end};
    const auto copied = loop.run([&] {
      return copy_logs(engine, request, LogCopyOutputs{out, out, pump, pump}, cancellation);
    });
    EXPECT_TRUE(copied.has_value() && copied->tail == "one\n");
    return server.requests().back().target;
  }

  test::Loop loop;
  test::ScriptedServer server{loop.executor()};
  test::TempDir folder;
  int file = ::memfd_create("out", MFD_CLOEXEC);
  OutputBuffer out{file};
  net::OutputPump pump{loop.executor(), out};
  net::Cancellation cancellation;
};

TEST_F(LogCopyTest, AsManyLinesAsTheEngineGivesInTheTime) {
  EXPECT_TRUE(asked_of("Docker/20.10.24 (linux)").ends_with("&tail=250000"))
      << server.requests().back().target;
  EXPECT_TRUE(asked_of("Libpod/4.3.1 (linux)").ends_with("&tail=5000"))
      << server.requests().back().target;
}

/// A daemon that was away, or whose clock is another, has the last lines where it says that the
/// container ended.
TEST_F(LogCopyTest, BackFromTheEndByDockersClock) {
  const std::chrono::system_clock::time_point end{1767225600s + 999ms};
  EXPECT_NE(asked_of("Docker/20.10.24 (linux)", end).find("since=1767225420&"), std::string::npos)
      << server.requests().back().target;
}

TEST_F(LogCopyTest, BackFromNowWhenTheEndIsNotKnown) {
  const auto before = std::chrono::system_clock::now();
  const std::string target = asked_of("Docker/20.10.24 (linux)");
  const auto at = target.find("since=");
  ASSERT_NE(at, std::string::npos) << target;
  const std::chrono::seconds since(std::stoll(target.substr(at + 6)));
  EXPECT_GE(since, std::chrono::floor<std::chrono::seconds>(before.time_since_epoch()) - 180s);
  EXPECT_LE(since, std::chrono::system_clock::now().time_since_epoch() - 180s);
}

TEST(LogSince, NeverBefore1970) {
  const std::chrono::system_clock::time_point end{100s};
  EXPECT_EQ(log_since(end, 40s), "60");
  EXPECT_EQ(log_since(end, 24h), "0");
}

}  // namespace
}  // namespace sidecar_executor::task
