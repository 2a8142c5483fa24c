#include "app/process_facts.hpp"

#include <dirent.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>

namespace sidecar_executor::app {
namespace {

/// linux/proc_ns.h, PROC_PID_INIT_INO: the pid namespace that the kernel starts with.
constexpr std::string_view first_pid_namespace = "pid:[4026531836]";

std::string content(const std::string& path) {
  const std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string link_target(const std::string& path) {
  std::array<char, 256> buffer{};
  const auto size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string boot_id(const std::string& proc) {
  std::string text = content(proc + "/sys/kernel/random/boot_id");
  return text.substr(0, text.find('\n'));
}

/// Empty when there is no such process, it is dead and only not waited for yet, or we may not see
/// it.
std::string start_ticks(const std::string& process) {
  const std::string stat = content(process + "/stat");
  // proc(5): field 22 is the start time; the name in field 2 may hold blanks and parentheses.
  const auto end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::istringstream rest(stat.substr(end_of_name + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) {
    if (!(rest >> field) || (i == 3 && (field == "Z" || field == "X"))) return {};
  }
  return field;
}

/// The last number of `NSpid:  4711  12`; kernels before 4.1 do not say.
int innermost_pid(const std::string& process, int otherwise) {
  const std::string status = content(process + "/status");
  const auto at = status.find("\nNSpid:");
  if (at == std::string::npos) return otherwise;
  std::istringstream line(status.substr(at + 7, status.find('\n', at + 1) - at - 7));
  for (int pid = 0; line >> pid;) otherwise = pid;
  return otherwise;
}

std::string titled_container(const std::string& process) {
  constexpr std::string_view title = "sidecar-executor ";
  constexpr std::size_t id_size = 12;
  const std::string text = content(process + "/cmdline").substr(0, title.size() + id_size);
  if (!text.starts_with(title) || text.size() < title.size() + id_size) return {};
  std::string id = text.substr(title.size());
  return id.find_first_not_of("0123456789abcdef") == std::string::npos ? id : std::string();
}

std::vector<ProcessFacts> processes_in(const std::string& proc) {
  std::vector<ProcessFacts> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(proc.c_str()), ::closedir);
  if (!folder) return out;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name(entry->d_name);
    int pid = 0;
    const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (ec != std::errc{} || end != name.data() + name.size()) continue;
    const std::string path = proc + "/" + std::string(name);
    auto ticks = start_ticks(path);
    if (ticks.empty()) continue;
    out.push_back({innermost_pid(path, pid), std::move(ticks), titled_container(path)});
  }
  return out;
}

}  // namespace

std::string process_start_mark() { return start_ticks("/proc/self") + "@" + boot_id("/proc"); }

std::string pid_namespace() { return link_target("/proc/self/ns/pid"); }

HostFacts read_host_facts(const std::string& proc) {
  HostFacts out;
  out.boot_id = boot_id(proc);
  out.pid_namespace = link_target(proc + "/self/ns/pid");
  out.first_namespace = out.pid_namespace == first_pid_namespace;
  // `self` shows whether this /proc is of our own namespace; process 1, whether others are hidden.
  out.complete = link_target(proc + "/self") == std::to_string(::getpid()) &&
                 !start_ticks(proc + "/1").empty() && !out.boot_id.empty();
  out.processes = processes_in(proc);
  return out;
}

}  // namespace sidecar_executor::app
