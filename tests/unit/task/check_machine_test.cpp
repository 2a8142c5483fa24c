// Results of checks in, what is known of the health out. The rules are those of Mesos 1.11
// (src/checks/health_checker.cpp, checker.cpp).
#include "task/check_machine.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::task {
namespace {

using namespace std::chrono_literals;
using mesos::CheckStatus;
using mesos::CheckType;

mesos::HealthCheck http_check(std::int64_t failures = 3, Nanoseconds grace = 10s,
                              std::vector<int> statuses = {}) {
  mesos::HealthCheck out;
  mesos::HttpCheck http;
  http.statuses = std::move(statuses);
  out.check.kind = http;
  out.consecutive_failures = failures;
  out.grace_period = grace;
  return out;
}

/// A decision as a word: `+` healthy, `-` not any more, `i` ignored, `!` limit reached, `.`
/// nothing.
std::string word(const HealthMachine::Decision& decision) {
  std::string out;
  if (decision.ignored) out += "i";
  if (decision.changed) out += *decision.changed ? "+" : "-";
  if (decision.limit_reached) out += "!";
  return out.empty() ? "." : out;
}

/// One check a second; digits are HTTP statuses in hundreds, `t` a timeout, `n` not performed.
std::string played(HealthMachine machine, const std::string& results, Nanoseconds first = 1s) {
  std::string out;
  for (const char c : results) {
    CheckResult seen = Answered{(c - '0') * 100};
    if (c == 't') seen = NoResult{"no result within 1 s"};
    if (c == 'n') seen = NotPerformed{"Docker is away"};
    out += word(machine.observe(seen, first));
    first += 1s;
  }
  return out;
}

TEST(HealthMachine, ScriptsOfResults) {
  const struct {
    const char* why;
    std::int64_t failures;
    Nanoseconds grace;
    const char* results;
    const char* decisions;
  } table[] = {
      {"healthy is told once", 3, 0s, "222", "+.."},
      {"redirects and all of 2xx and 3xx are well", 3, 0s, "23", "+."},
      {"three failures are the limit", 3, 0s, "2555", "+-.!"},
      {"1xx and 4xx are failures", 3, 0s, "414", "-.!"},
      {"timeouts are failures", 3, 0s, "2ttt", "+-.!"},
      {"a success in between starts the count anew", 3, 0s, "25525525", "+-.+-.+-"},
      {"one failure is enough", 1, 0s, "25", "+-!"},
      {"a limit of none is a limit of one", 0, 0s, "5", "-!"},
      {"never healthy", 2, 0s, "55", "-!"},
      {"failures in the grace period are ignored, it included", 2, 3s, "55555", "iii-!"},
      {"a task that was healthy has no grace any more", 2, 100s, "5255", "i+-!"},
      {"what was ignored does not count later", 3, 2s, "55555", "ii-.!"},
      {"no grace period at all", 3, 0s, "5", "-"},
      {"what was not performed counts as nothing", 2, 0s, "n5nn5", ".-..!"},
      {"nor does it make healthy", 2, 0s, "5n5", "-.!"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(played(HealthMachine(http_check(row.failures, row.grace)), row.results),
              row.decisions)
        << row.why;
  }
}

TEST(HealthMachine, FlappingForeverIsToldEachTimeAndNeverKills) {
  HealthMachine machine(http_check(2, 0s));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(word(machine.observe(Answered{200}, 1s)), "+");
    EXPECT_EQ(word(machine.observe(Answered{503}, 1s)), "-");
  }
}

TEST(HealthMachine, StatusesOfTheTaskAreTheOnlyOnesThatPass) {
  EXPECT_EQ(played(HealthMachine(http_check(9, 0s, {500, 200})), "253"), "+.-");
}

TEST(HealthMachine, EveryKindOfResult) {
  const struct {
    CheckResult seen;
    const char* decision;
    const char* text;
  } table[] = {
      {Exited{0, ""}, "+", "exit code 0"},
      {Exited{1, "no route"}, "-", "exit code 1 (no route)"},
      {Exited{-1, ""}, "-", "exit code -1"},
      {Answered{200}, "+", "HTTP status 200"},
      {Answered{199}, "-", "HTTP status 199"},
      {Answered{399}, "+", "HTTP status 399"},
      {Answered{400}, "-", "HTTP status 400"},
      {Connected{}, "+", "connected"},
      {NotConnected{"refused"}, "-", "refused"},
      {NoResult{"late"}, "-", "late"},
      {NotPerformed{"paused"}, ".", "paused"},
  };
  for (const auto& row : table) {
    HealthMachine machine(http_check(3, 0s));
    EXPECT_EQ(word(machine.observe(row.seen, 1s)), row.decision) << describe(row.seen);
    EXPECT_EQ(describe(row.seen), row.text);
  }
}

TEST(HealthMachine, Messages) {
  HealthMachine machine(http_check(2, 0s));
  EXPECT_EQ(machine.observe(Answered{200}, 1s).message, "HTTP health check passed");
  EXPECT_EQ(machine.observe(Answered{500}, 1s).message,
            "HTTP health check failed: HTTP status 500");
  EXPECT_EQ(
      machine.observe(NoResult{"no result within 2 s"}, 1s).message,
      "unhealthy by its HTTP health check: 2 consecutive failed checks (no result within 2 s)");
  mesos::HealthCheck command;
  command.consecutive_failures = 1;
  EXPECT_EQ(
      HealthMachine(command).observe(Exited{2, "no db"}, 1s).message,
      "unhealthy by its COMMAND health check: 1 consecutive failed check (exit code 2 (no db))");
}

std::string status_text(const std::optional<CheckStatus>& status) {
  if (!status) return "same";
  return status->value ? std::to_string(*status->value) : "none";
}

TEST(StatusMachine, TellsChangesOnly) {
  StatusMachine machine(CheckType::http);
  EXPECT_EQ(machine.last(), (CheckStatus{CheckType::http, std::nullopt}));
  EXPECT_EQ(status_text(machine.observe(NoResult{"refused"})), "same") << "as at the start";
  EXPECT_EQ(status_text(machine.observe(Answered{200})), "200");
  EXPECT_EQ(status_text(machine.observe(Answered{200})), "same");
  EXPECT_EQ(status_text(machine.observe(NotPerformed{"away"})), "same");
  EXPECT_EQ(status_text(machine.observe(Answered{503})), "503");
  EXPECT_EQ(status_text(machine.observe(NoResult{"late"})), "none");
  EXPECT_EQ(status_text(machine.observe(NoResult{"reset"})), "same");
  EXPECT_EQ(machine.last(), (CheckStatus{CheckType::http, std::nullopt}));
}

TEST(StatusMachine, ConnectionsAndCommands) {
  StatusMachine tcp(CheckType::tcp);
  EXPECT_EQ(status_text(tcp.observe(NotConnected{"refused"})), "0");
  EXPECT_EQ(status_text(tcp.observe(Connected{})), "1");
  EXPECT_EQ(status_text(tcp.observe(NoResult{"late"})), "none");
  StatusMachine command(CheckType::command);
  EXPECT_EQ(status_text(command.observe(Exited{0, "a"})), "0");
  EXPECT_EQ(status_text(command.observe(Exited{0, "b"})), "same") << "the output is no result";
  EXPECT_EQ(status_text(command.observe(Exited{7, ""})), "7");
}

}  // namespace
}  // namespace sidecar_executor::task
