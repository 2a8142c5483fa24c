#include "torture/limits.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace sx_torture {
namespace {

namespace fs = std::filesystem;

constexpr long kMemory = 16'000'000;
constexpr const char* kGroupsV1 = "/sys/fs/cgroup/memory";
constexpr const char* kGroupsV2 = "/sys/fs/cgroup";

/// Control groups of version 1, or of version 2.
bool version_1() { return fs::exists(std::string(kGroupsV1) + "/memory.limit_in_bytes"); }

std::string group_of(std::uint64_t seed) {
  return std::string(version_1() ? kGroupsV1 : kGroupsV2) + "/sx-torture-" +
         std::to_string(::getpid()) + "-" + std::to_string(seed);
}

bool make_group(const std::string& group) {
  std::error_code ec;
  if (!fs::create_directory(group, ec)) return false;
  std::ofstream limit(group + (version_1() ? "/memory.limit_in_bytes" : "/memory.max"));
  limit << kMemory << std::flush;
  return limit.good();
}

/// What ran in it has ended; the kernel may need a moment more.
void remove_group(const std::string& group) {
  for (int i = 0; i < 100 && ::rmdir(group.c_str()) != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

/// Some 40 KiB are free at most.
void fill(const std::string& disk, std::uint64_t seed) {
  std::ofstream file(disk + "/filler", std::ios::binary);
  const std::string block(4096, 'x');
  const int blocks = 30 - static_cast<int>(seed % 11);
  for (int i = 0; i < blocks; ++i) file << block << std::flush;
}

}  // namespace

bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

Means means_of_this_machine(bool mounts) {
  Means out;
  out.pull = std::getenv("SX_REGISTRY") != nullptr;
  out.full_disk = mounts;
  out.clock = *SX_SHIFTED_EXECUTOR != '\0';
  const std::string group = group_of(0);
  out.limit_memory = make_group(group);
  remove_group(group);
  return out;
}

Limits::Limits(Limit limit, std::uint64_t seed, const std::string& folder)
    : sandbox_(folder + "/sandbox") {
  const std::string go = R"(exec "$SIDECAR_EXECUTOR_PATH")";
  switch (limit) {
    case Limit::none:
      break;
    case Limit::files_30:
      wrapper_ = "ulimit -n 30; " + go;
      break;
    case Limit::memory_16_mb:
      group_ = group_of(seed);
      if (!make_group(group_)) throw std::runtime_error("cannot limit memory: " + group_);
      wrapper_ = "echo $$ >" + group_ + "/cgroup.procs; " + go;
      break;
    case Limit::full_disk:
      disk_ = folder + "/disk";
      fs::create_directory(disk_);
      if (::mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=128k") != 0)
        throw std::runtime_error("cannot mount " + disk_);
      sandbox_ = disk_ + "/sandbox";
      fs::create_directory(sandbox_);
      fill(disk_, seed);
  }
}

Limits::~Limits() {
  if (!group_.empty()) remove_group(group_);
  if (!disk_.empty()) ::umount2(disk_.c_str(), MNT_DETACH);
}

}  // namespace sx_torture
