#pragma once
// One check against a container that does what a script says, and against a Docker that does.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/run.hpp"
#include "support/scripted_server.hpp"
#include "task/check_probe.hpp"

namespace sidecar_executor::task {

using namespace std::chrono_literals;

class CheckProbeTest : public ::testing::Test {
 protected:
  static constexpr net::Duration patient = 20s;
  static constexpr net::Duration brief = 150ms;

  void TearDown() override {
    service.stop();
    daemon.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  [[nodiscard]] mesos::Check http(const std::string& path = "/", net::Duration timeout = patient) {
    mesos::Check check;
    mesos::HttpCheck kind;
    kind.port = service.address().port;
    kind.path = path;
    check.kind = kind;
    check.timeout = timeout;
    return check;
  }
  static mesos::Check tcp(std::uint16_t port, bool v6 = false, net::Duration timeout = patient) {
    mesos::Check check;
    check.kind = mesos::TcpCheck{port, v6};
    check.timeout = timeout;
    return check;
  }
  static mesos::Check command(net::Duration timeout = patient) {
    mesos::Check check;
    check.kind = mesos::CommandCheck{{"/bin/sh", "-c", "check it"}, {"A=1"}};
    check.timeout = timeout;
    return check;
  }

  /// What it saw, as `Answered: HTTP status 200`.
  std::string seen(const mesos::Check& check) {
    constexpr std::array names{"Exited",       "Answered", "Connected",
                               "NotConnected", "NoResult", "NotPerformed"};
    const auto result = loop.run([&] { return probe.run(check, target); });
    return std::string(names[result.index()]) + ": " + describe(result);
  }

  test::Loop loop;
  test::ScriptedServer service{loop.executor()};
  test::ScriptedServer daemon{loop.executor()};
  docker::Engine engine{loop.executor(), {daemon.address(), "1.41"}, {.call = 2s}};
  net::Cancellation cancellation;
  CheckProbe probe{loop.executor(), engine, cancellation};
  CheckTarget target{"0123456789ab", "127.0.0.1", "::1"};
};

}  // namespace sidecar_executor::task
