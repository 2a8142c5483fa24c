// executor-report.json (docs/report.md).
#include "task/report.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/version.hpp"

namespace sidecar_executor::task {
namespace {

namespace json = boost::json;

constexpr WallTime began{std::chrono::seconds(1'767'366'245)};  // 2026-01-02T15:04:05Z
constexpr WallTime now = began + std::chrono::seconds(10);

Report whole() {
  Report report;
  report.began = began;
  report.task_id = "web-1";
  report.task_name = "web";
  report.image = "app:1";
  report.image_id = "sha256:aa";
  report.image_digest = "sha256:bb";
  report.container_id = "0123456789abcdef";
  report.state = "TASK_RUNNING";
  report.limits = {{"Memory", 64 * 1024 * 1024}, {"CpuShares", 512}};
  report.phases.add({"pull", began + std::chrono::seconds(1), std::chrono::milliseconds(1500)});
  report.phases.begin("run", began + std::chrono::seconds(3));
  add_health(report, {true, "ALIVE since 2026-01-02T15:04:09Z"});
  return report;
}

TEST(Report, WhileItRuns) {
  EXPECT_EQ(report_json(whole(), now, 42), R"({
  "format": 1,
  "written": "2026-01-02T15:04:15Z",
  "executor": {
    "version": ")" SX_VERSION R"(",
    "pid": 42,
    "began": "2026-01-02T15:04:05Z"
  },
  "task": {
    "id": "web-1",
    "name": "web"
  },
  "state": "TASK_RUNNING",
  "doing": "run",
  "doing_since": "2026-01-02T15:04:08Z",
  "container": {
    "id": "0123456789abcdef",
    "image": "app:1",
    "image_id": "sha256:aa",
    "image_digest": "sha256:bb",
    "limits": {
      "Memory": 67108864,
      "CpuShares": 512
    }
  },
  "phases": [
    {
      "name": "pull",
      "began": "2026-01-02T15:04:06Z",
      "milliseconds": 1500
    }
  ],
  "health": [
    {
      "healthy": true,
      "text": "ALIVE since 2026-01-02T15:04:09Z"
    }
  ]
}
)");
}

TEST(Report, AtTheEnd) {
  Report report = whole();
  ContainerEnd end;
  end.exit_code = 137;
  end.oom_killed = true;
  end.ran_for = std::chrono::seconds(4);
  end.finished_at = now;
  report.end = end;
  report.outcome = Outcome{mesos::TaskState::failed,
                           mesos::Reason::container_limitation_memory,
                           "Memory limit exceeded: limit 64 MiB",
                           {},
                           0};
  report.last_error = "copy the container's logs: no answer";
  const auto text = json::parse(report_json(report, now, 42));
  EXPECT_EQ(text.at("exit"),
            json::parse(R"({"code":137,"oom_killed":true,"ran_for_milliseconds":4000,
                            "finished":"2026-01-02T15:04:15Z"})"));
  EXPECT_EQ(text.at("outcome").at("state"), "TASK_FAILED");
  EXPECT_EQ(text.at("outcome").at("reason"), "REASON_CONTAINER_LIMITATION_MEMORY");
  EXPECT_EQ(text.at("outcome").at("message"), "Memory limit exceeded: limit 64 MiB");
  EXPECT_TRUE(text.at("outcome").at("look_at").as_string().starts_with("the container needs more"));
  EXPECT_EQ(text.at("last_error"), "copy the container's logs: no answer");
}

TEST(Report, AnUnknownExitCodeIsNull) {
  Report report = whole();
  report.end = ContainerEnd();
  EXPECT_TRUE(json::parse(report_json(report, now, 1)).at("exit").at("code").is_null());
}

TEST(Report, TextOfOthersIsMadeOneLineOfUtf8) {
  Report report = whole();
  report.last_error = "bad \xff byte\nand a line";
  const auto text = json::parse(report_json(report, now, 1));
  EXPECT_EQ(text.at("last_error").as_string().find('\n'), json::string::npos);
}

TEST(Report, TheLastWordsOfTheProgramAreNotInIt) {
  Report report = whole();
  report.last_words = "PASSWORD=hush";
  EXPECT_EQ(report_json(report, now, 1).find("hush"), std::string::npos);
}

TEST(Report, KeepsTheNewestHealthChanges) {
  Report report;
  for (int i = 0; i < 25; ++i) add_health(report, {i % 2 == 0, std::to_string(i)});
  ASSERT_EQ(report.health.size(), 20U);
  EXPECT_EQ(report.health.front().text, "5");
  EXPECT_EQ(report.health.back().text, "24");
}

TEST(Phases, TellWhatIsUnderWay) {
  Phases phases;
  int told = 0;
  phases.on_change = [&told] { ++told; };
  phases.begin("pull", began);
  EXPECT_EQ(phases.doing().name, "pull");
  EXPECT_EQ(phases.doing().began, began);
  phases.add({"secrets", began, std::chrono::seconds(1)});
  EXPECT_EQ(phases.doing().name, "pull");
  phases.add({"pull", began, std::chrono::seconds(1)});
  EXPECT_EQ(phases.doing().name, "");
  EXPECT_EQ(told, 3);
  EXPECT_EQ(phases.done().size(), 2U);
}

}  // namespace
}  // namespace sidecar_executor::task
