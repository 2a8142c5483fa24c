// What /proc says: of this process, and of made-up ones.
#include "app/process_facts.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/run.hpp"

namespace sidecar_executor::app {
namespace {

const ProcessFacts* find(const HostFacts& host, int pid) {
  const auto& all = host.processes;
  const auto found =
      std::find_if(all.begin(), all.end(), [pid](const auto& p) { return p.pid == pid; });
  return found == all.end() ? nullptr : &*found;
}

TEST(ProcessFactsTest, ThisProcessIsSeenAsItsLabelsSay) {
  const auto host = read_host_facts();
  const auto* self = find(host, ::getpid());
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(self->start_ticks + "@" + host.boot_id, process_start_mark());
  EXPECT_EQ(host.pid_namespace, pid_namespace());
  EXPECT_TRUE(host.pid_namespace.starts_with("pid:[")) << host.pid_namespace;
  EXPECT_TRUE(self->titled_container.empty());
}

TEST(ProcessFactsTest, AChildIsSeenUntilItIsDead) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  EXPECT_NE(find(read_host_facts(), child), nullptr);
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(find(read_host_facts(), child), nullptr) << "a zombie looks after nothing";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(find(read_host_facts(), child), nullptr);
}

class FakeProc : public ::testing::Test {
 protected:
  FakeProc() {
    write("sys/kernel/random/boot_id", "boot-1\n");
    process("1", "(init) S 0", "7");
    std::filesystem::create_symlink(std::to_string(::getpid()), dir_.path() / "self");
  }
  void write(const std::string& path, const std::string& text) {
    const auto full = dir_.path() / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
  }
  /// `begin`: fields 2 to 4.
  void process(const std::string& pid, const std::string& begin, const std::string& start) {
    std::string stat = pid + " " + begin;
    for (int field = 5; field < 22; ++field) stat += " 0";
    write(pid + "/stat", stat + " " + start + " 99 99\n");
  }
  HostFacts read() { return read_host_facts(dir_.path().string()); }

  test::TempDir dir_;
};

TEST_F(FakeProc, TitleStartAndInnermostPid) {
  process("31", "(a) b (c) S 1", "4000");
  write("31/status", "Name:\tx\nTgid:\t31\nNSpid:\t31\t12\nNSpgid:\t31\t9\n");
  write("31/cmdline", std::string("sidecar-executor 0123456789ab (image:1)\0\0", 41));
  process("32", "(sh) S 1", "4001");
  write("32/cmdline", "sidecar-executor reap --stop");
  const auto host = read();
  EXPECT_EQ(host.boot_id, "boot-1");
  EXPECT_TRUE(host.complete);
  ASSERT_NE(find(host, 12), nullptr);
  EXPECT_EQ(find(host, 12)->start_ticks, "4000");
  EXPECT_EQ(find(host, 12)->titled_container, "0123456789ab");
  ASSERT_NE(find(host, 32), nullptr) << "an old kernel has no NSpid";
  EXPECT_EQ(find(host, 32)->titled_container, "");
}

TEST_F(FakeProc, APidNamespaceIsTheFirstByItsNumber) {
  EXPECT_FALSE(read().first_namespace);
  std::filesystem::remove(dir_.path() / "self");
  write(std::to_string(::getpid()) + "/ns/x", "");
  std::filesystem::create_symlink(std::to_string(::getpid()), dir_.path() / "self");
  std::filesystem::create_symlink("pid:[4026531836]",
                                  dir_.path() / std::to_string(::getpid()) / "ns/pid");
  EXPECT_TRUE(read().first_namespace);
}

TEST_F(FakeProc, HiddenProcessesMakeItIncomplete) {
  EXPECT_TRUE(read().complete);
  std::filesystem::remove_all(dir_.path() / "1");
  EXPECT_FALSE(read().complete) << "hidepid";
  process("1", "(init) S 0", "7");
  std::filesystem::remove(dir_.path() / "self");
  std::filesystem::create_symlink("1", dir_.path() / "self");
  EXPECT_FALSE(read().complete) << "the /proc of another namespace";
  std::filesystem::remove(dir_.path() / "self");
  EXPECT_FALSE(read().complete);
}

TEST_F(FakeProc, CutOffFilesAreNoProcesses) {
  write("40/stat", "40 (x) S 1 0 0");
  write("41/stat", "");
  write("42/status", "NSpid:\t42\n");
  write("nonsense/stat", "1 (x) S");
  EXPECT_EQ(read().processes.size(), 1U);
}

}  // namespace
}  // namespace sidecar_executor::app
