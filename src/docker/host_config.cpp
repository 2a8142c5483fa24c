#include "docker/host_config.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/text.hpp"
#include "docker/body_parts.hpp"
#include "docker/ulimits.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

constexpr std::uint32_t highest_port = 65'535;

// runc's limits; Docker refuses less.
constexpr std::int64_t cpu_period = 50'000;
constexpr std::int64_t least_cpu_quota = 1'000;
constexpr std::int64_t least_cpu_shares = 2;
constexpr std::int64_t most_cpu_shares = 1'024;
constexpr double bytes_per_mib = 1'048'576;
constexpr std::size_t longest_shown = 100;

/// `tcp`, `udp,tcp`, ` tcp , udp `, nothing = tcp. Error: what was expected.
Result<std::vector<std::string>> protocols_of(const std::string& text) {
  auto out = split(text, ',');
  if (out.empty()) out.emplace_back("tcp");
  for (auto& word : out) {
    const auto words = split_blanks(word);
    word = words.size() == 1 ? to_lower(words.front()) : std::string{};
    if (word != "tcp" && word != "udp" && word != "sctp")
      return invalid("expected tcp, udp, sctp or several of them with commas");
  }
  return out;
}

/// A field's binding is on every address, of IPv4 and IPv6: is this one part of it?
bool is_on_every_address(const json::object& binding) {
  const auto* address = binding.if_contains("HostIp");
  return address == nullptr || *address == "0.0.0.0" || *address == "::";
}

void bind_port(json::object& host_config, const std::string& port, const std::string& host_port) {
  auto& list = array_at(object_at(host_config["PortBindings"])[port]);
  // One host port twice, by two mappings or by the parameter publish, would make the second bind
  // fail with "port is already allocated".
  const auto is_same = [&host_port](const json::value& binding) {
    const auto& object = binding.get_object();
    return object.at("HostPort").as_string() == host_port && is_on_every_address(object);
  };
  const auto same = std::find_if(list.begin(), list.end(), is_same);
  if (same == list.end()) {
    list.push_back(json::object{{"HostPort", host_port}});
    return;
  }
  *same = json::object{{"HostPort", host_port}};
  list.erase(std::remove_if(same + 1, list.end(), is_same), list.end());
}

std::optional<double> resource(const mesos::TaskInfo& task, const std::string& name) {
  const auto found = task.resources.find(name);
  if (found == task.resources.end()) return std::nullopt;
  return found->second;
}

/// TaskInfo.limits; may be infinite.
std::optional<double> limit(const mesos::TaskInfo& task, const std::string& name) {
  const auto found = task.limits.find(name);
  if (found == task.limits.end()) return std::nullopt;
  return found->second;
}

/// `RLMT_NOFILE` → `nofile`; empty for what Docker has no name for.
std::string ulimit_name(std::string_view type) {
  constexpr std::string_view prefix = "RLMT_";
  if (!type.starts_with(prefix)) return {};
  auto name = to_lower(type.substr(prefix.size()));
  return is_ulimit_name(name) ? name : std::string{};
}

/// What Docker gives a container that asks for nothing (moby, oci/caps/defaults.go).
std::vector<std::string> default_capabilities() {
  return {"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE",     "FOWNER",    "FSETID",
          "KILL",        "MKNOD",   "NET_BIND_SERVICE", "NET_RAW",   "SETFCAP",
          "SETGID",      "SETPCAP", "SETUID",           "SYS_CHROOT"};
}

/// Go's int(x), without the undefined behaviour of numbers that do not fit.
std::int64_t whole(double value) {
  constexpr double most = 9e18;
  if (!(value > 0)) return 0;  // NaN too
  return static_cast<std::int64_t>(std::min(value, most));
}

void add_cpu_limit(double cpus, bool use_shares, double host_cpus, json::object& host_config) {
  if (use_shares) {
    const double part = std::min(cpus / std::max(host_cpus, 1.0), 1.0);
    host_config["CpuShares"] = std::max(whole(part * most_cpu_shares), least_cpu_shares);
    return;
  }
  host_config["CpuPeriod"] = cpu_period;
  host_config["CpuQuota"] = std::max(whole(cpus * cpu_period), least_cpu_quota);
}

std::int64_t number_at(const json::object& object, std::string_view member) {
  const auto* value = object.if_contains(member);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

/// Limits that contradict Memory, by the names of their parameters: Docker refuses both. MemorySwap
/// counts memory and swap together; 0 and -1 are no limit.
std::vector<std::string> without_contradictions(json::object& host_config) {
  std::vector<std::string> out;
  const auto memory = number_at(host_config, "Memory");
  const auto swap = number_at(host_config, "MemorySwap");
  if (swap > 0 && swap < memory && host_config.erase("MemorySwap") > 0)
    out.emplace_back("memory-swap");
  if (number_at(host_config, "MemoryReservation") > memory &&
      host_config.erase("MemoryReservation") > 0)
    out.emplace_back("memory-reservation");
  return out;
}

}  // namespace

Result<void> add_ports(const std::vector<mesos::PortMapping>& mappings, const std::string& field,
                       json::object& body, json::object& host_config,
                       std::vector<std::string>& env) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const auto& mapping = mappings[i];
    const auto path = indexed(field, i);
    if (mapping.container_port == 0 || mapping.container_port > highest_port)
      return invalid(path + ".container_port: expected a port from 1 to 65535");
    if (mapping.host_port > highest_port)
      return invalid(path + ".host_port: expected a port from 0 to 65535");
    const auto protocols = protocols_of(mapping.protocol);
    if (!protocols) return protocols.error().during(path + ".protocol");
    const auto container_port = std::to_string(mapping.container_port);
    const auto host_port = std::to_string(mapping.host_port);
    auto& exposed = object_at(body["ExposedPorts"]);
    for (const auto& protocol : *protocols) {
      std::string port = container_port;
      port.append("/").append(protocol);
      exposed[port].emplace_object();
      if (mapping.host_port > 0) bind_port(host_config, port, host_port);
    }
    // network_infos may repeat what port_mappings say.
    std::string variable = "MESOS_PORT_";
    variable.append(container_port).append("=").append(host_port);
    if (mapping.host_port > 0 && std::find(env.begin(), env.end(), variable) == env.end())
      env.push_back(variable);
  }
  return boost::system::in_place_value;
}

json::object forced_limits(const mesos::TaskInfo& task, const Settings& settings, double host_cpus,
                           std::vector<std::string>& log_warnings) {
  json::object out;
  const auto cpus = resource(task, "cpus");
  const auto cpu_limit = limit(task, "cpus");
  if (cpu_limit && std::isfinite(*cpu_limit)) add_cpu_limit(*cpu_limit, false, host_cpus, out);
  // Shares are the weight of what was asked for; they go together with a quota.
  const bool by_setting = settings.force_cpu_limit && (!cpu_limit || settings.use_cpu_shares);
  if (by_setting && cpus) add_cpu_limit(*cpus, settings.use_cpu_shares, host_cpus, out);
  if (by_setting && !cpus)
    log_warnings.emplace_back("The task has no cpus, ForceCpuLimit has nothing to force");

  const auto memory_limit = limit(task, "mem");
  if (!memory_limit && !settings.force_memory_limit) return out;
  const auto mebibytes = memory_limit ? *memory_limit : resource(task, "mem").value_or(0);
  if (!std::isfinite(mebibytes)) return out;
  const auto memory = whole(mebibytes * bytes_per_mib);
  if (memory > 0) {
    out["Memory"] = memory;
  } else {  // Docker takes 0 for no limit
    log_warnings.emplace_back("The task has no mem, ForceMemoryLimit has nothing to force");
  }
  return out;
}

void put_limits(const json::object& forced, json::object& host_config,
                std::vector<std::string>& warnings) {
  const auto gives_way = [&warnings](std::string_view flag) {
    warnings.push_back("parameter \"" + std::string(flag) +
                       "\": the limit of the task or of a setting wins, ignoring");
  };
  // Docker refuses NanoCpus together with CpuPeriod.
  if (forced.contains("CpuPeriod") && host_config.erase("NanoCpus") > 0) gives_way("cpus");
  const std::pair<std::string_view, std::string_view> flags[] = {{"CpuPeriod", "cpu-period"},
                                                                 {"CpuQuota", "cpu-quota"},
                                                                 {"CpuShares", "cpu-shares"},
                                                                 {"Memory", "memory"}};
  for (const auto& [member, flag] : flags) {
    const auto* wanted = forced.if_contains(member);
    if (wanted == nullptr) continue;
    const auto* there = host_config.if_contains(member);
    if (there != nullptr && *there != *wanted) gives_way(flag);
    host_config[member] = *wanted;
  }
  if (!forced.contains("Memory")) return;
  for (const auto& flag : without_contradictions(host_config)) gives_way(flag);
}

Result<void> add_rlimits(const std::vector<mesos::Rlimit>& limits, json::object& host_config,
                         std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const auto& limit = limits[i];
    const auto path = indexed("container.rlimit_info.rlimits", i);
    if (limit.soft.has_value() != limit.hard.has_value())
      return invalid(path + ": expected soft and hard, or neither for no limit");
    if (limit.soft && *limit.soft > *limit.hard)
      return invalid(path + ".soft: expected a value that is not above hard");
    const auto name = ulimit_name(limit.type);
    if (name.empty()) {  // RLMT_AS, and what later versions may have
      warnings.push_back(path + ".type: Docker has no limit of type " +
                         one_line(limit.type, longest_shown) + ", ignoring");
      continue;
    }
    constexpr std::int64_t unlimited = -1;
    set_ulimit(array_at(host_config["Ulimits"]), name, limit.soft.value_or(unlimited),
               limit.hard.value_or(unlimited));
  }
  return boost::system::in_place_value;
}

Result<void> add_linux_info(const mesos::LinuxInfo& info, json::object& host_config,
                            std::vector<std::string>& warnings,
                            std::vector<std::string>& log_warnings) {
  if (info.share_cgroups)
    log_warnings.emplace_back(
        "container.linux_info.share_cgroups: a Docker container has cgroups of its own, ignoring");
  if (info.share_pid_namespace)
    warnings.emplace_back(
        "container.linux_info.share_pid_namespace: not done for Docker containers, use the "
        "parameter pid, ignoring");
  const auto& bounding = info.bounding_capabilities;
  if (!info.effective_capabilities && !bounding) return boost::system::in_place_value;
  json::array wanted;
  for (const auto& name :
       info.effective_capabilities ? *info.effective_capabilities : default_capabilities()) {
    const bool allowed =
        !bounding || std::find(bounding->begin(), bounding->end(), name) != bounding->end();
    if (!allowed && info.effective_capabilities)
      return invalid("container.linux_info.effective_capabilities: " +
                     one_line(name, longest_shown) + " is not among the bounding_capabilities");
    if (allowed) wanted.emplace_back(name);
  }
  for (const auto& [member, flag] : {std::pair{"CapAdd", "cap-add"}, {"CapDrop", "cap-drop"}}) {
    if (host_config.erase(member) > 0)
      warnings.push_back("parameter \"" + std::string(flag) +
                         "\": container.linux_info has capabilities and wins, ignoring");
  }
  host_config["CapDrop"] = json::array{"ALL"};
  if (!wanted.empty()) host_config["CapAdd"] = std::move(wanted);
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor::docker
