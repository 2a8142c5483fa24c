// Pulls that a registry fails for now: how often, and how far apart.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "task/image_fetch.hpp"

namespace sidecar_executor::task {
namespace {

using test::answer;
using test::SeenRequest;
using namespace std::chrono_literals;

class PullRetryTest : public ::testing::Test {
 protected:
  void TearDown() override {
    engine.close();
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
    ::close(null);
  }

  /// A daemon whose pulls fail so often before one does not; what became of the image.
  Result<std::string> pull(int failures) {
    server.serve([this, failures](const SeenRequest& request) {
      if (request.target == "/_ping") return answer(200, "OK", "Api-Version: 1.41\r\n");
      pulls.push_back(test::Clock::now());
      if (static_cast<int>(pulls.size()) <= failures)
        return answer(500, R"({"message":"received unexpected HTTP status: 502 Bad Gateway"})");
      return answer(200, R"({"status":"Digest: sha256:)" + std::string(64, 'd') + "\"}");
    });
    EXPECT_TRUE(loop.run([this] { return engine.negotiate(); }));
    const Lookup environment = [this](std::string_view name) -> std::optional<std::string> {
      if (name != "DOCKER_CONFIG") return std::nullopt;
      return folder.path().string();  // no credentials
    };
    const LaunchTools tools{engine, log, cancellation, phases, 10s};
    ImageFetch fetch(tools, {"app:1", true, environment, Settings().docker_repository, ""});
    return loop.run([&fetch] { return fetch.run(); });
  }

  test::Loop loop;
  test::TempDir folder;
  test::ScriptedServer server{loop.executor()};
  docker::Engine engine{loop.executor(), docker::EngineAddress{server.address(), ""}};
  int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  OutputBuffer out{null};
  Log log{out};
  net::Cancellation cancellation;
  Phases phases;
  std::vector<test::Clock::time_point> pulls;  ///< as they came in
};

/// 100 ms, then twice the last wait, each less or more by a quarter: 75, 112, 168 and 253 ms at
/// least, 2.9 s together at most.
TEST_F(PullRetryTest, EachWaitIsTwiceTheLastOneAndTheFifthAttemptIsTheLast) {
  const auto pulled = pull(100);
  ASSERT_FALSE(pulled);
  EXPECT_NE(pulled.error().message.find("502 Bad Gateway; gave up after 5 attempts"),
            std::string::npos)
      << pulled.error().message;
  ASSERT_EQ(pulls.size(), 5U);
  const std::chrono::milliseconds least[] = {75ms, 112ms, 168ms, 253ms};
  for (std::size_t i = 0; i < std::size(least); ++i)
    EXPECT_GE(pulls[i + 1] - pulls[i], least[i]) << "before attempt " << i + 2;
  EXPECT_LT(pulls.back() - pulls.front(), 6s) << "also on a busy machine";
}

TEST_F(PullRetryTest, TheFifthAttemptCounts) {
  const auto pulled = pull(4);
  ASSERT_TRUE(pulled) << pulled.error().message;
  EXPECT_EQ(*pulled, "sha256:" + std::string(64, 'd'));
  EXPECT_EQ(pulls.size(), 5U);
}

}  // namespace
}  // namespace sidecar_executor::task
