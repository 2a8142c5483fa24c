// What the relay makes of a container's log, whatever Docker keeps it in.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "relay_run.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using Kind = Collector::Kind;

class RelayDriverTest : public SystemTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RelayDriverTest, LinesArrive) {
  Collector collector(Kind::udp);
  TaskBuilder task = task_of("echo one; echo two; printf three");
  task.parameter("log-driver", GetParam());
  const auto run = run_task(task, relay_to(collector, "udp"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_TRUE(collector.wait_for(4, 5s)) << run.transcript();
  EXPECT_EQ(payloads(collector), (Texts{"one", "two", "three"}));
}

INSTANTIATE_TEST_SUITE_P(Real, RelayDriverTest, ::testing::Values("json-file", "local"),
                         [](const auto& info) {
                           return std::string(info.param) == "local" ? "Local" : "JsonFile";
                         });

class RelayLogTest : public SystemTest {};

TEST_F(RelayLogTest, DriverNoneIsSaidAndTheTaskGoesOn) {
  Collector collector(Kind::udp);
  TaskBuilder task = task_of("echo one");
  task.parameter("log-driver", "none");
  const auto run = run_task(task, relay_to(collector, "udp"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_NE(run.out.find("log driver none: Docker keeps no log"), std::string::npos) << run.out;
  EXPECT_EQ(collector.count(), 0U);
}

TEST_F(RelayLogTest, Terminal) {
  Collector collector(Kind::udp);
  TaskBuilder task = task_of("echo one; echo an Error >&2; echo; printf last");
  task.parameter("tty", "true");
  const auto run = run_task(task, relay_to(collector, "udp"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_TRUE(collector.wait_for(5, 5s)) << run.transcript();
  EXPECT_EQ(payloads(collector), (Texts{"one", "an Error", "", "last"}));
  // A terminal has one stream, and that counts as stdout.
  EXPECT_EQ(parsed(collector.records().at(2)).at("Level"), "info");
}

/// The driver local keeps the bytes; json-file replaces them itself.
TEST_F(RelayLogTest, BytesThatAreNoText) {
  Collector collector(Kind::udp);
  TaskBuilder task = task_of(
      "printf \"a\\\\377b\\\\n\\\\303\\\\n\\\\342\\\\202\\\\254\\\\n\\\\000\\\\033[1m\\\\n\"");
  task.parameter("log-driver", "local");
  const auto run = run_task(task, relay_to(collector, "udp"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_TRUE(collector.wait_for(5, 5s)) << run.transcript();
  EXPECT_EQ(payloads(collector),
            (Texts{"a\xEF\xBF\xBD"
                   "b",
                   "\xEF\xBF\xBD", "\xE2\x82\xAC", std::string("\0\x1B[1m", 5)}));
}

/// A systemd-journald that only this process and its children see: libsystemd and journald know
/// their sockets and files by fixed paths.
class OwnJournal {
 public:
  OwnJournal() {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      throw std::runtime_error("no mount namespace; the system tests need root");
    }
    for (const char* folder : {"/run/systemd", "/run/log"}) {
      std::filesystem::create_directories(folder);
      if (::mount("none", folder, "tmpfs", 0, nullptr) != 0) throw std::runtime_error(folder);
    }
    std::filesystem::create_directories("/run/systemd/journal");
    std::filesystem::create_directories("/run/log/journal");
    pid_ = ::fork();
    if (pid_ == 0) {
      const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      ::dup2(null, 1);
      ::dup2(null, 2);
      ::execl("/lib/systemd/systemd-journald", "systemd-journald", nullptr);
      ::_exit(127);
    }
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!std::filesystem::exists("/run/systemd/journal/socket")) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("no journald");
      std::this_thread::sleep_for(10ms);
    }
  }
  ~OwnJournal() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    for (const char* folder : {"/run/systemd", "/run/log"}) ::umount2(folder, MNT_DETACH);
  }
  OwnJournal(const OwnJournal&) = delete;
  OwnJournal& operator=(const OwnJournal&) = delete;

 private:
  pid_t pid_ = -1;
};

class RelayJournalTest : public ::testing::Test {
 protected:
  OwnJournal journal;  // before dockerd, which inherits its namespace
  PrivateDocker docker{PrivateDocker::LiveRestore::no};
};

/// The measure is what Docker itself gives out: its journald driver drops empty lines, and so the
/// end of a line of just 64 KiB.
TEST_F(RelayJournalTest, WhatDockerGivesOutArrives) {
  Collector collector(Kind::udp);
  TaskBuilder task = task_of(
      "echo one; echo; head -c 65537 /dev/zero | tr \"\\\\0\" x; echo; seq 500; "
      "head -c 65536 /dev/zero | tr \"\\\\0\" y; echo; printf last");
  task.parameter("log-driver", "journald");
  const auto run = run_task(task, relay_to(collector, "udp"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  std::istringstream kept(run_command({"docker", "logs", containers_of(task.id()).at(0)}).output);
  Texts wanted;
  for (std::string line; std::getline(kept, line);) wanted.push_back(line);
  EXPECT_GE(wanted.size(), 503U);
  // The long lines come in two records each.
  Texts got;
  for (const auto& record : collector.records()) {
    const auto fields = parsed(record);
    const std::string text(fields.at("Payload").as_string());
    const auto* part = fields.if_contains("Part");
    part != nullptr && *part == "2/2" ? void(got.back() += text) : got.push_back(text);
  }
  ASSERT_FALSE(got.empty());
  got.erase(got.begin());
  EXPECT_EQ(got, wanted) << run.out;
}

}  // namespace
}  // namespace sx_test
