#include "app/doctor_report.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/pretty_json.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"

namespace sidecar_executor::app {
namespace {

namespace json = boost::json;

/// The executor and its container's streams need some 20; credential helpers and look-ups come on
/// top.
constexpr std::uint64_t enough_files = 256;
constexpr std::uint64_t fewest_files = 64;
/// At the end of a task up to 30 MiB: the log's copy has at most 10 MiB, and what it is made from
/// at most 20 MiB while it is made (task/log_spool). executor.sh copies the binary, 8 MB.
constexpr std::uint64_t enough_space = 64UL << 20;
constexpr std::uint64_t least_space = 1UL << 20;
/// Docker 19.03.
constexpr int oldest_api_minor = 40;
constexpr std::size_t longest_text = 2000;

std::string_view name_of(Level level) {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::warn:
      return "warn";
    case Level::fail:
      break;
  }
  return "fail";
}

std::string shown(const std::string& text) {
  return redact_value("", one_line(text, longest_text));
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size()), ' ');
  return out;
}

/// Absent (an older engine): not said to be missing.
bool lacks(const json::object& info, std::string_view key) {
  const auto* value = info.if_contains(key);
  return value != nullptr && value->is_bool() && !value->get_bool();
}

void append(std::string& list, std::string_view item) {
  list += (list.empty() ? "" : ", ") + std::string(item);
}

/// What is missing; `needed`: what of it the settings ask for.
std::string missing_limits(const json::object& info, const Settings& settings, bool& needed) {
  struct Row {
    const char* key;
    const char* name;
    bool asked;
  };
  const bool cpu = settings.force_cpu_limit;
  const Row rows[] = {{"MemoryLimit", "memory", settings.force_memory_limit},
                      {"SwapLimit", "swap", false},
                      {"CpuCfsQuota", "CPU quota", cpu && !settings.use_cpu_shares},
                      {"CPUShares", "CPU shares", cpu && settings.use_cpu_shares},
                      {"PidsLimit", "pids", false}};
  std::string out;
  for (const auto& row : rows) {
    if (!lacks(info, row.key)) continue;
    append(out, row.name);
    needed = needed || row.asked;
  }
  return out;
}

std::string asked_for(const Settings& settings) {
  const std::string off = std::string(settings.force_memory_limit ? "" : "memory") +
                          (settings.force_memory_limit || settings.force_cpu_limit ? "" : " and ") +
                          (settings.force_cpu_limit ? "" : "CPU");
  return off.empty() ? "" : "; not asked for: " + off + " (EXECUTOR_FORCE_*_LIMIT is false)";
}

}  // namespace

void add(Findings& to, Level level, const char* check, std::string_view found,
         std::string_view advice) {
  to.push_back({level, check, std::string(found), std::string(advice)});
}

std::string at(const std::string& where, const std::string& text) {
  return text.find(where) == std::string::npos ? where + ": " + text : text;
}

std::string as_text(const Findings& findings) {
  std::size_t widest = 0;
  std::size_t counts[3] = {};
  for (const auto& finding : findings) {
    widest = std::max(widest, finding.check.size());
    ++counts[static_cast<std::size_t>(finding.level)];
  }
  std::string out;
  for (const auto& finding : findings) {
    out += padded(name_of(finding.level), 6) + padded(finding.check, widest + 2);
    out += shown(finding.found);
    if (!finding.advice.empty()) out += "; " + shown(finding.advice);
    out += "\n";
  }
  return out + "doctor: " + std::to_string(counts[2]) + " fail, " + std::to_string(counts[1]) +
         " warn, " + std::to_string(counts[0]) + " ok\n";
}

std::string as_json(const Findings& findings) {
  std::string out;
  for (const auto& finding : findings) {
    const json::object row{{"check", finding.check},
                           {"status", name_of(finding.level)},
                           {"detail", shown(finding.found)},
                           {"advice", shown(finding.advice)}};
    out += (out.empty() ? "[" : ",\n ") + json::serialize(row);
  }
  return (out.empty() ? "[" : out) + "]\n";
}

int exit_code(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const auto& finding) { return finding.level == Level::fail; })
             ? 1
             : 0;
}

Finding judge_docker(const std::string& found, int api_minor, bool by_variable) {
  if (api_minor == 0 || api_minor >= oldest_api_minor) return {Level::ok, "docker", found, ""};
  const std::string oldest = "API 1." + std::to_string(oldest_api_minor);
  return {Level::fail, "docker", found,
          by_variable ? "the executor needs " + oldest +
                            " or later: correct DOCKER_API_VERSION, or "
                            "unset it"
                      : "the executor needs " + oldest + ", Docker 19.03, or later"};
}

Finding judge_limits(std::string_view info, const Settings& settings) {
  boost::system::error_code failed;
  const auto value = json::parse(info, failed);
  if (failed || !value.is_object()) {
    return {Level::fail, "limits",
            "Docker's answer to GET /info is no JSON object: " + one_line(info, 100),
            "is it a Docker daemon that DOCKER_HOST names?"};
  }
  const json::object& object = value.get_object();
  bool needed = false;
  const auto missing = missing_limits(object, settings, needed);
  const std::string cgroup = " (cgroup v" +
                             std::string(text_at(object, "CgroupVersion") == "2" ? "2" : "1") +
                             ", " + text_at(object, "CgroupDriver") + ")";
  if (missing.empty()) {
    return {Level::ok, "limits",
            "memory, swap, CPU and pids can be limited" + cgroup + asked_for(settings), ""};
  }
  return {needed ? Level::fail : Level::warn, "limits",
          "cannot be enforced on this host: " + missing + cgroup + asked_for(settings),
          "docker info names what the kernel lacks; for memory and swap start it with "
          "cgroup_enable=memory swapaccount=1"};
}

Finding judge_open_files(std::uint64_t limit) {
  const bool unlimited = limit >= (1UL << 30);
  Finding out{Level::ok, "files",
              unlimited ? "no limit on open files" : std::to_string(limit) + " open files allowed",
              ""};
  if (limit >= enough_files) return out;
  out.level = limit < fewest_files ? Level::fail : Level::warn;
  out.advice = "allow at least " + std::to_string(enough_files) +
               ": LimitNOFILE= of the agent's unit, or ulimit -n";
  return out;
}

Finding judge_space(const std::string& folder, std::uint64_t free_bytes) {
  Finding out{Level::ok, "sandbox",
              folder + " can be written, " + bytes_for_people(free_bytes) + " free", ""};
  if (free_bytes >= enough_space) return out;
  out.level = free_bytes < least_space ? Level::fail : Level::warn;
  out.advice =
      "make room on that disk: the end of a task copies its log there and takes up to "
      "30 MiB for that";
  return out;
}

std::string bytes_for_people(std::uint64_t bytes) {
  const std::uint64_t mib = bytes >> 20;
  if (mib < 1024) return std::to_string(mib) + " MiB";
  const std::uint64_t tenths = mib * 10 / 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

}  // namespace sidecar_executor::app
