// How findings are told, and what facts mean.
#include "app/doctor_report.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace sidecar_executor::app {
namespace {

const Findings some{{Level::ok, "docker", "unix:///run/d.sock: API 1.41", ""},
                    {Level::warn, "sidecar", "http://u:pw@host/: no answer", "look there"},
                    {Level::fail, "vault", "two\nlines \"quoted\"", "do"}};

TEST(DoctorReportTest, ALineEachInColumns) {
  EXPECT_EQ(as_text(some),
            "ok    docker   unix:///run/d.sock: API 1.41\n"
            "warn  sidecar  http://u:***@host/: no answer; look there\n"
            "fail  vault    two lines \"quoted\"; do\n"
            "doctor: 1 fail, 1 warn, 1 ok\n");
  EXPECT_EQ(as_text({}), "doctor: 0 fail, 0 warn, 0 ok\n");
}

TEST(DoctorReportTest, JsonIsAnArrayOfObjects) {
  const auto rows = boost::json::parse(as_json(some)).as_array();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(boost::json::serialize(rows[1]),
            R"({"check":"sidecar","status":"warn","detail":"http://u:***@host/: no answer",)"
            R"("advice":"look there"})");
  EXPECT_EQ(rows[2].at("detail").as_string(), "two lines \"quoted\"");
  EXPECT_EQ(as_json({}), "[]\n");
}

TEST(DoctorReportTest, OnlyFailuresFail) {
  EXPECT_EQ(exit_code({}), 0);
  EXPECT_EQ(exit_code({some[0], some[1]}), 0);
  EXPECT_EQ(exit_code(some), 1);
}

constexpr const char* all_limits =
    R"({"MemoryLimit":true,"SwapLimit":true,"CpuCfsQuota":true,"CPUShares":true,"PidsLimit":true,
        "CgroupVersion":"2","CgroupDriver":"systemd"})";

TEST(DoctorReportTest, LimitsThatWork) {
  Settings settings;
  settings.force_cpu_limit = settings.force_memory_limit = true;
  const auto finding = judge_limits(all_limits, settings);
  EXPECT_EQ(finding.level, Level::ok);
  EXPECT_EQ(finding.found, "memory, swap, CPU and pids can be limited (cgroup v2, systemd)");
  EXPECT_NE(judge_limits(all_limits, Settings()).found.find("not asked for: memory and CPU"),
            std::string::npos)
      << "mem of a task is no limit then";
  settings.force_cpu_limit = false;
  EXPECT_NE(judge_limits(all_limits, settings).found.find("not asked for: CPU ("),
            std::string::npos);
}

TEST(DoctorReportTest, AMissingLimitFailsWhenItIsAskedFor) {
  const std::string info = R"({"MemoryLimit":false,"SwapLimit":false,"CpuCfsQuota":false})";
  Settings settings;
  EXPECT_EQ(judge_limits(info, settings).level, Level::warn);
  EXPECT_NE(judge_limits(info, settings).found.find("memory, swap, CPU quota (cgroup v1"),
            std::string::npos);
  settings.force_memory_limit = true;
  EXPECT_EQ(judge_limits(info, settings).level, Level::fail);
  settings = {};
  settings.force_cpu_limit = true;
  EXPECT_EQ(judge_limits(info, settings).level, Level::fail);
  settings.use_cpu_shares = true;
  EXPECT_EQ(judge_limits(info, settings).level, Level::warn) << "shares are there";
  EXPECT_EQ(judge_limits(R"({"CPUShares":false})", settings).level, Level::fail);
}

TEST(DoctorReportTest, WhatIsNoInfoFails) {
  for (const char* text : {"", "[]", "{\"MemoryLimit\":", "<html>"})
    EXPECT_EQ(judge_limits(text, Settings()).level, Level::fail) << text;
  EXPECT_EQ(judge_limits("{}", Settings()).level, Level::ok) << "an old engine says nothing";
  EXPECT_EQ(judge_limits(R"({"MemoryLimit":"no","CgroupDriver":7})", Settings()).level, Level::ok);
}

TEST(DoctorReportTest, TheOldestApiThatTheExecutorSpeaks) {
  EXPECT_EQ(judge_docker("d", 40, false).level, Level::ok);
  EXPECT_EQ(judge_docker("d", 0, false).level, Level::ok) << "the daemon does not say";
  EXPECT_EQ(judge_docker("d", 39, false).level, Level::fail);
  EXPECT_EQ(judge_docker("d", 39, false).advice,
            "the executor needs API 1.40, Docker 19.03, or later");
  EXPECT_NE(judge_docker("d", 24, true).advice.find("DOCKER_API_VERSION"), std::string::npos);
}

TEST(DoctorReportTest, OpenFiles) {
  EXPECT_EQ(judge_open_files(1024).level, Level::ok);
  EXPECT_EQ(judge_open_files(256).level, Level::ok);
  EXPECT_EQ(judge_open_files(255).level, Level::warn);
  EXPECT_EQ(judge_open_files(63).level, Level::fail);
  EXPECT_EQ(judge_open_files(~0UL).found, "no limit on open files");
}

TEST(DoctorReportTest, SpaceInTheSandbox) {
  EXPECT_EQ(judge_space("/s", 64UL << 20).level, Level::ok);
  EXPECT_EQ(judge_space("/s", (64UL << 20) - 1).level, Level::warn);
  EXPECT_EQ(judge_space("/s", 1000).level, Level::fail);
  EXPECT_NE(judge_space("/s", 1000).advice.find("30 MiB"), std::string::npos);
  EXPECT_EQ(judge_space("/s", 13'210'000'000).found, "/s can be written, 12.3 GiB free");
}

}  // namespace
}  // namespace sidecar_executor::app
