// Whole runs with executors written in a few lines of shell.
#include "agent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

struct Record {
  int code = -1;
  std::vector<json::object> events;

  const json::object* find(const std::string& name) const {
    const auto found = std::find_if(events.begin(), events.end(), [&name](const auto& e) {
      return e.at("event").as_string() == name;
    });
    return found == events.end() ? nullptr : &*found;
  }
};

class MiniAgentRun : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "mini-agent-test-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    options_.sandbox = folder_ + "/sandbox";
    options_.executor = folder_ + "/executor";
    options_.capabilities = {"TASK_KILLING_STATE"};
    options_.timeout = std::chrono::seconds(20);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Record run(const std::string& script, const std::function<void(MiniAgent&)>& meanwhile = {}) {
    std::ofstream(options_.executor) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(options_.executor, std::filesystem::perms(0755));
    Record result;
    boost::asio::io_context io;
    Task task = complete_task(parse_as_agent(R"({"task_id":{"value":"t 1"},"executor":{"command":
        {"environment":{"variables":[{"name":"COLOR","value":"blue"}]}}}})")
                                  .value,
                              options_.executor);
    MiniAgent agent(io, options_, task,
                    [&result](const json::object& event) { result.events.push_back(event); });
    agent.start();
    if (meanwhile) meanwhile(agent);
    io.run();
    result.code = agent.exit_code();
    return result;
  }

  std::string file(const std::string& name) const {
    std::ifstream in(options_.sandbox + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_;
  Options options_;
};

TEST_F(MiniAgentRun, AnExecutorThatEndsWithoutATerminalUpdateFailedTheTask) {
  const Record run = this->run("exit 3");
  EXPECT_EQ(run.code, kFailed);
  EXPECT_EQ(run.find("executor_exit")->at("code"), 3);
  const auto& status = run.find("agent_update")->at("status");
  EXPECT_EQ(status.at("message"), "Executor terminated");
  EXPECT_EQ(status.at("reason"), "REASON_EXECUTOR_TERMINATED");
}

TEST_F(MiniAgentRun, TheExecutorFindsWhatARealAgentGives) {
  options_.environment = {"EXTRA=1 2"};
  run("env | sort; umask; pwd; ls -l /proc/self/fd/0 /proc/self/fd/1; "
      "cut -d' ' -f6 /proc/$$/stat; echo $$; ls /proc/self/fd | wc -l");
  const std::string out = file("stdout");
  const std::string sandbox = std::filesystem::canonical(options_.sandbox).string();
  for (const std::string& wanted :
       {std::string("COLOR=blue\n"), std::string("EXTRA=1 2\n"), std::string("LIBPROCESS_PORT=0\n"),
        std::string("MESOS_CHECKPOINT=1\n"), std::string("MESOS_EXECUTOR_ID=t 1\n"),
        std::string("MESOS_RECOVERY_TIMEOUT=15mins\n"), "MESOS_SANDBOX=" + sandbox + "\n",
        std::string("MESOS_SLAVE_PID=slave(1)@127.0.0.1:"), std::string("0022\n"),
        "\n" + sandbox + "\n", std::string("-> /dev/null\n"), "-> " + sandbox + "/stdout\n"}) {
    EXPECT_NE(out.find(wanted), std::string::npos) << wanted << "\nin\n" << out;
  }
  EXPECT_EQ(out.find("HOME="), std::string::npos);
}

TEST_F(MiniAgentRun, AShutdownThatIsIgnoredEndsInSigkillForTheWholeTree) {
  options_.shutdown_grace = "200ms";
  const Record run = this->run("trap '' TERM INT; sleep 100 & setsid sleep 100 & wait; wait",
                               [](MiniAgent& agent) { agent.terminate(); });
  EXPECT_NE(run.find("executor_killed"), nullptr);
  EXPECT_EQ(run.find("executor_exit")->at("signal"), 9);
}

TEST_F(MiniAgentRun, ThreeInterruptsEndInSigkill) {
  options_.shutdown_grace = "10secs";
  const Record run = this->run("sleep 100", [](MiniAgent& agent) {
    for (int i = 0; i < 3; ++i) agent.interrupt();
  });
  EXPECT_EQ(run.find("executor_exit")->at("signal"), 9);
}

TEST_F(MiniAgentRun, TheTimeOutEndsTheRun) {
  options_.timeout = std::chrono::milliseconds(100);
  EXPECT_EQ(run("sleep 100").code, kTimedOut);
}

TEST_F(MiniAgentRun, AWrapperGetsTheExecutorsPath) {
  options_.wrapper = "echo path=$SIDECAR_EXECUTOR_PATH";
  run("exit 0");
  EXPECT_EQ(file("stdout"), "path=" + options_.executor + "\n");
}

TEST_F(MiniAgentRun, WhatCannotBeExecutedIsSaid) {
  boost::asio::io_context io;
  options_.executor = folder_ + "/none";
  MiniAgent agent(io, options_, complete_task(json::object(), "/x"), [](const json::object&) {});
  try {
    agent.start();
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("/none: No such file"), std::string::npos);
  }
}

}  // namespace
}  // namespace mini_agent
