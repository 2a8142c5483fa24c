// What doctor looks at on the host itself: settings, the agent's variables, the sandbox, limits.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <system_error>

#include "app/doctor.hpp"
#include "base/file.hpp"
#include "mesos/agent_session.hpp"
#include "net/side_thread.hpp"

namespace sidecar_executor::app {
namespace {

constexpr const char* by_hand = "not started by an agent (no MESOS_ variables)";

/// What the disk said, in a thread: a network disk that is gone blocks for ever.
struct Disk {
  std::string folder;
  int error = 0;  // errno
  std::uint64_t free = 0;
  bool noexec = false;  // of its mount
};

void try_disk(Disk& disk) {
  std::string file = disk.folder + "/.sidecar-executor-doctor-XXXXXX";
  const FileDescriptor fd(::mkostemp(file.data(), O_CLOEXEC));
  if (fd.get() < 0) {
    disk.error = errno;
    return;
  }
  ::unlink(file.c_str());
  const std::array<char, 4096> page{};
  const auto written = ::write(fd.get(), page.data(), page.size());
  if (written != static_cast<ssize_t>(page.size())) disk.error = written < 0 ? errno : ENOSPC;
  struct statvfs space{};
  if (::fstatvfs(fd.get(), &space) != 0) return;
  disk.free = std::uint64_t{space.f_bavail} * space.f_frsize;
  disk.noexec = (space.f_flag & ST_NOEXEC) != 0;
}

}  // namespace

void Doctor::settings(Findings& out) const {
  for (const auto& problem : loaded_.problems)
    add(out, Level::fail, "settings", problem, "correct it: every task that gets it fails");
  for (const auto& warning : loaded_.warnings) add(out, Level::warn, "settings", warning);
  if (!out.empty()) return;
  std::string set;
  for (const auto& setting : loaded_.report) {
    if (setting.source != SettingSource::built_in)
      set += (set.empty() ? "valid; set: " : ", ") + setting.name;
  }
  add(out, Level::ok, "settings", set.empty() ? "all have their defaults" : set);
}

void Doctor::agent(Findings& out) const {
  bool any = false;
  for (const char* name : {"MESOS_AGENT_ENDPOINT", "MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID",
                           "MESOS_SLAVE_ID", "MESOS_SANDBOX"})
    any = any || !get(name).empty();
  if (!any) return add(out, Level::ok, "agent", by_hand);
  const auto loaded = mesos::load_agent_environment(inputs_.environment);
  for (const auto& problem : loaded.problems) {
    add(out, Level::fail, "agent", problem,
        "to check the host alone, unset the MESOS_ variables that are there");
  }
  if (!loaded.problems.empty()) return;
  const auto& found = loaded.environment;
  add(out, Level::ok, "agent",
      found.agent.display() + ", framework " + found.identity.framework_id + ", checkpointing " +
          (found.checkpoint ? "on" : "off"));
}

void Doctor::open_files(Findings& out) const {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  out.push_back(judge_open_files(limit.rlim_cur));
}

asio::awaitable<void> Doctor::sandbox(Findings& out, net::Cancellation& cancellation) {
  std::string folder = get("MESOS_SANDBOX");
  if (folder.empty()) folder = get("MESOS_DIRECTORY");
  if (folder.empty()) co_return add(out, Level::ok, "sandbox", by_hand);
  auto disk = std::make_shared<Disk>();
  disk->folder = folder;
  const auto tried =
      co_await net::in_side_thread([disk] { try_disk(*disk); }, inputs_.limit, &cancellation);
  if (!tried) {
    co_return add(out, Level::fail, "sandbox", folder + ": the disk gives " + why(tried.error()),
                  "is it a network disk that is gone?");
  }
  if (disk->noexec) {
    add(out, Level::fail, "sandbox", folder + " is on a disk that is mounted noexec",
        "executor.sh runs its copy of the binary there: mount it with exec, or let tasks name the "
        "binary itself");
  }
  if (disk->error == 0) co_return out.push_back(judge_space(folder, disk->free));
  const char* advice = "the user of the task must be able to write there";
  if (disk->error == ENOSPC) advice = "make room, or inodes, on that disk";
  if (disk->error == ENOENT)
    advice = "the agent makes it for each task: is it of one that has ended?";
  add(out, Level::fail, "sandbox", folder + ": " + std::generic_category().message(disk->error),
      advice);
}

}  // namespace sidecar_executor::app
