// When it polls, what it says and how often.
#include "sidecar/health_watch.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/stamp.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::sidecar {
namespace {

using test::answer;
using test::Clock;
using namespace std::chrono_literals;

/// What Sidecar answers, poll by poll; the last one goes on.
enum class Says { alive, unhealthy, unknown, no_service, broken };

class HealthWatchTest : public ::testing::Test {
 protected:
  void TearDown() override {
    server.stop();
    ::close(log_file);
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  static std::string bytes_of(Says says) {
    const auto with = [](const char* status) {
      return answer(200, R"({"Servers":{"h1":{"Services":{"0123456789ab":{"Status":)" +
                             std::string(status) + "}}}}}");
    };
    switch (says) {
      case Says::alive:
        return with("0");
      case Says::unhealthy:
        return with("2");
      case Says::unknown:
        return with("3");
      case Says::no_service:
        return answer(200, R"({"Servers":{"h1":{"Services":null}}})");
      case Says::broken:
        break;
    }
    return answer(500);
  }

  /// Watches until the limit, or until `polls` answers were given.
  void watch(std::vector<Says> answers, std::int64_t max_fails, std::size_t polls = 1000) {
    server.serve([this, answers](const test::SeenRequest&) {
      times.push_back(Clock::now());
      return bytes_of(answers[std::min(times.size(), answers.size()) - 1]);
    });
    ClientConfig client_config;
    client_config.url.address = server.address();
    client_config.url.path = "/state.json";
    client_config.timeout = 20s;
    client_config.retry_delay = 0ns;
    client_config.host = "h1";
    Client client(loop.executor(), client_config);
    HealthWatchConfig config{"0123456789ab", backoff, interval, max_fails};
    HealthWatch health(client, log, config,
                       {[this](bool healthy, std::string text) {
                          changes.push_back((healthy ? "+" : "-") + text);
                        },
                        [this](std::string text) { limits.push_back(std::move(text)); },
                        [this](bool, std::string text) { known.push_back(std::move(text)); }});
    net::Cancellation cancel;
    began = Clock::now();
    auto running = loop.start([&]() -> asio::awaitable<bool> {
      co_await health.run(cancel);
      co_return true;
    });
    loop.until([&] { return running.ended() || times.size() > polls; }, "the polls");
    cancel.cancel();
    loop.finish(running);
    said.assign(static_cast<std::size_t>(::lseek(log_file, 0, SEEK_END)), '\0');
    ASSERT_EQ(::pread(log_file, said.data(), said.size(), 0), static_cast<ssize_t>(said.size()));
  }

  [[nodiscard]] int times_said(std::string_view text) const {
    int count = 0;
    for (auto at = said.find(text); at != std::string::npos; at = said.find(text, at + 1)) ++count;
    return count;
  }

  std::string said;
  test::Loop loop;
  test::ScriptedServer server{loop.executor()};
  int log_file = ::memfd_create("log", MFD_CLOEXEC);
  OutputBuffer log_buffer{log_file};
  Log log{log_buffer};
  net::Duration backoff{0};
  net::Duration interval{0};
  Clock::time_point began;
  std::vector<Clock::time_point> times;
  std::vector<std::string> changes;
  std::vector<std::string> limits;
  std::vector<std::string> known;
};

using Texts = std::vector<std::string>;

TEST_F(HealthWatchTest, NoIntervalIsAtLeast100Milliseconds) {
  watch({Says::alive}, 3, 4);
  ASSERT_GE(times.size(), 4u);
  EXPECT_LT(times[0] - began, 5s) << "back-off 0: at once";
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], 99ms);
}

TEST_F(HealthWatchTest, WaitsTheBackoffFirst) {
  backoff = 150ms;
  watch({Says::alive}, 3, 1);
  ASSERT_FALSE(times.empty());
  EXPECT_GE(times[0] - began, 149ms);
}

TEST_F(HealthWatchTest, LimitIsReachedAfterAsManyAsSetAndToldOnce) {
  watch({Says::unhealthy}, 3);
  EXPECT_EQ(times.size(), 3u);
  EXPECT_EQ(changes, Texts{"-Sidecar says UNHEALTHY"});
  EXPECT_EQ(limits, Texts{"unhealthy in Sidecar: 3 consecutive failed checks (last status "
                          "UNHEALTHY)"});
}

TEST_F(HealthWatchTest, LimitOfOneSaysOnlyTheLimit) {
  watch({Says::unhealthy}, 1);
  EXPECT_EQ(times.size(), 1u);
  EXPECT_EQ(changes, Texts{});
  EXPECT_EQ(limits.size(), 1u);
}

TEST_F(HealthWatchTest, LimitOfNoneFailsAtTheFirst) {
  watch({Says::alive, Says::unhealthy}, 0);
  EXPECT_EQ(times.size(), 2u);
  EXPECT_EQ(changes, Texts{"+Sidecar says ALIVE"});
  EXPECT_EQ(limits.size(), 1u);
}

TEST_F(HealthWatchTest, WhatIsKnownAndSinceWhen) {
  const auto now = format_utc(std::chrono::system_clock::now());
  watch({Says::alive, Says::unknown, Says::unhealthy, Says::unhealthy}, 2);
  ASSERT_EQ(known.size(), 2u);
  EXPECT_TRUE(known[0].starts_with("ALIVE since ")) << known[0];
  EXPECT_TRUE(known[1].starts_with("UNHEALTHY since ")) << known[1];
  EXPECT_GE(known[1].substr(16), now);
  EXPECT_EQ(times_said("Health changed"), 2) << said;
  EXPECT_EQ(times_said("sidecar=UNHEALTHY"), 1) << said;
  EXPECT_EQ(times_said("not healthy\" fails=2 since=\"" + known[1].substr(16)), 1) << said;
}

TEST_F(HealthWatchTest, ServiceAppearsLate) {
  watch({Says::no_service, Says::no_service, Says::alive, Says::alive}, 1, 4);
  EXPECT_EQ(changes, Texts{"+Sidecar says ALIVE"});
  EXPECT_EQ(limits, Texts{});
  EXPECT_EQ(times_said("cannot tell"), 1) << said;
  EXPECT_EQ(times_said("tells the service's health again"), 1) << said;
}

TEST_F(HealthWatchTest, ServiceDisappears) {
  watch({Says::alive, Says::no_service, Says::no_service, Says::no_service}, 1, 4);
  EXPECT_EQ(changes, Texts{"+Sidecar says ALIVE"}) << "known health stays";
  EXPECT_EQ(limits, Texts{});
  EXPECT_EQ(times_said("is not in Sidecar's state"), 1) << said;
}

TEST_F(HealthWatchTest, NoAnswerInBetweenNeitherCountsNorResets) {
  watch({Says::unhealthy, Says::broken, Says::unhealthy, Says::no_service, Says::unhealthy}, 3);
  EXPECT_EQ(times.size(), 5u);
  EXPECT_EQ(limits.size(), 1u);
}

TEST_F(HealthWatchTest, OtherTroubleIsToldAgain) {
  watch({Says::broken, Says::broken, Says::no_service, Says::no_service, Says::broken}, 1, 5);
  EXPECT_EQ(times_said("cannot tell"), 3) << said;
  EXPECT_EQ(limits, Texts{});
}

TEST_F(HealthWatchTest, CancelledDuringTheBackoffItEndsAtOnce) {
  backoff = std::chrono::hours(24 * 365 * 100);
  net::Cancellation cancel;
  Client client(loop.executor(), ClientConfig{{}, 1s, 0, 0ns, "h1"});
  HealthWatch health(client, log, {"0123456789ab", backoff, interval, 3}, {});
  auto running = loop.start([&]() -> asio::awaitable<bool> {
    co_await health.run(cancel);
    co_return true;
  });
  loop.poll();
  EXPECT_FALSE(running.ended());
  cancel.cancel();
  EXPECT_TRUE(loop.finish(running, 5s));
}

}  // namespace
}  // namespace sidecar_executor::sidecar
