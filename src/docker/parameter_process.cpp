// Readers: environment, labels, and what the process in the container starts with.

#include <algorithm>
#include <boost/json.hpp>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "docker/image_platform.hpp"
#include "docker/parameter_readers.hpp"
#include "docker/parameter_values.hpp"
#include "docker/ulimits.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_shown = 100;

/// Lines of an env or label file without comments, blank lines and leading blanks.
std::vector<std::string> lines_of(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // editors of Windows write it
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<std::string> out;
  for (auto line : split(text, '\n')) {
    if (line.ends_with('\r')) line.pop_back();
    line.erase(0, std::min(line.size(), line.find_first_not_of(" \t")));
    if (!line.empty() && line.front() != '#') out.push_back(std::move(line));
  }
  return out;
}

/// Each line begins with a name, without blanks in it.
bool have_names(const std::vector<std::string>& lines) {
  return std::all_of(lines.begin(), lines.end(), [](const std::string& line) {
    const auto name = split_key_value(line).key;
    return !name.empty() && name.find_first_of(" \t") == std::string::npos;
  });
}

/// `NAME` without `=`: the executor's own value, as `docker run -e NAME` takes the caller's.
void add_own(const ParameterReading& reading, const std::string& name,
             std::vector<std::string>& env) {
  const auto& lookup = reading.inputs.executor_environment;
  const auto found = lookup ? lookup(name) : std::nullopt;
  if (found) {
    env.push_back(name + "=" + *found);
    return;
  }
  reading.out.warnings.push_back("parameter " + std::string(reading.flag.name) + ": " +
                                 one_line(name, longest_shown) +
                                 " has no value and is not set for the executor, ignoring");
}

}  // namespace

Result<void> read_env(const ParameterReading& reading, std::string_view value) {
  const auto pair = split_key_value(value);
  if (pair.key.empty()) return expected("NAME=value or NAME");
  if (pair.value) {
    reading.out.env.emplace_back(value);
  } else {
    add_own(reading, pair.key, reading.out.env);
  }
  return taken();
}

Result<void> read_env_file(const ParameterReading& reading, std::string_view value) {
  const auto bytes = file_of(reading, value);
  if (!bytes) return bytes.error();
  const auto lines = lines_of(*bytes);
  if (!have_names(lines)) return expected("a file with NAME=value or NAME in each line");
  for (const auto& line : lines) {
    if (line.find('=') != std::string::npos) {
      reading.file_env.push_back(line);
    } else {
      add_own(reading, line, reading.file_env);
    }
  }
  return taken();
}

Result<void> read_label(const ParameterReading& reading, std::string_view value) {
  const auto pair = split_key_value(value);
  if (!pair.value) {
    // `docker run` would set it empty; the Go executor drops it, and so do dashboards' label sets.
    reading.out.notes.push_back("parameter label without =, ignoring: " +
                                one_line(value, longest_shown));
    return taken();
  }
  if (pair.key.empty()) return expected("name=value");
  reading.labels[pair.key] = *pair.value;
  return taken();
}

Result<void> read_label_file(const ParameterReading& reading, std::string_view value) {
  const auto bytes = file_of(reading, value);
  if (!bytes) return bytes.error();
  const auto lines = lines_of(*bytes);
  if (!have_names(lines)) return expected("a file with name=value in each line");
  for (const auto& line : lines) {
    const auto pair = split_key_value(line);
    if (pair.value) reading.file_labels[pair.key] = *pair.value;
  }
  return taken();
}

Result<void> read_entrypoint(const ParameterReading& reading, std::string_view value) {
  // Empty: the image's entry point is taken away, as `docker run --entrypoint=` does.
  target_of(reading) = json::array{value};
  return taken();
}

Result<void> read_security_opt(const ParameterReading& reading, std::string_view value) {
  if (value == "systempaths=unconfined") {  // Docker's command line makes two members of it
    auto& host = object_at(reading.out.body["HostConfig"]);
    host["MaskedPaths"] = json::array{};
    host["ReadonlyPaths"] = json::array{};
    return taken();
  }
  const auto separator = value.find_first_of("=:");
  const auto name = value.substr(0, separator);
  const auto text = separator == std::string_view::npos ? "" : value.substr(separator + 1);
  if (name != "no-new-privileges" && (name.empty() || text.empty()))
    return expected("no-new-privileges, or name=value such as seccomp=unconfined");
  std::string option(value);
  if (name == "seccomp" && text != "unconfined" && text != "builtin") {
    const auto bytes = file_of(reading, text);
    if (!bytes) return bytes.error().during("a seccomp profile");
    boost::system::error_code failed;
    const auto profile = json::parse(*bytes, failed);
    if (failed || !profile.is_object()) return expected("a seccomp profile that is a JSON object");
    option = "seccomp=" + json::serialize(profile);
  }
  array_at(target_of(reading)).emplace_back(option);
  return taken();
}

Result<void> read_ulimit(const ParameterReading& reading, std::string_view value) {
  auto form = expected("name=soft[:hard] such as nofile=1024:2048, -1 for no limit");
  const auto pair = split_key_value(value);
  if (!pair.value) return form;
  if (!is_ulimit_name(pair.key))
    return expected("the name of a limit such as nofile, nproc, core or memlock");
  const auto limits = split(*pair.value, ':');
  if (limits.empty() || limits.size() > 2) return form;
  const auto soft = parse_decimal(limits.front());
  const auto hard = parse_decimal(limits.back());
  if (!soft || !hard || *soft < -1 || *hard < -1) return form;
  if (*hard != -1 && (*soft == -1 || *soft > *hard))
    return expected("a soft limit that is not above the hard limit");
  set_ulimit(array_at(target_of(reading)), pair.key, *soft, *hard);
  return taken();
}

Result<void> read_sysctl(const ParameterReading& reading, std::string_view value) {
  // Those with a name space of their own; Docker refuses the host's.
  constexpr std::string_view whole[] = {"kernel.msgmax", "kernel.msgmnb",         "kernel.msgmni",
                                        "kernel.sem",    "kernel.shmall",         "kernel.shmmax",
                                        "kernel.shmmni", "kernel.shm_rmid_forced"};
  const auto pair = split_key_value(value);
  if (!pair.value) return expected("name=value such as net.core.somaxconn=1024");
  const bool allowed = pair.key.starts_with("net.") || pair.key.starts_with("fs.mqueue.") ||
                       std::find(std::begin(whole), std::end(whole), pair.key) != std::end(whole);
  if (!allowed) return expected("a sysctl below net. or fs.mqueue., or one of System V IPC");
  object_at(target_of(reading))[pair.key] = *pair.value;
  return taken();
}

Result<void> read_restart(const ParameterReading&, std::string_view value) {
  if (!value.empty() && value != "no") return expected("no: Mesos restarts tasks, not Docker");
  return taken();
}

Result<void> read_platform(const ParameterReading& reading, std::string_view value) {
  auto platform = complete_platform(value);
  if (!platform) return expected("os/architecture such as linux/amd64");
  reading.out.platform = std::move(*platform);
  return taken();
}

Result<void> read_health_command(const ParameterReading& reading, std::string_view value) {
  if (value.empty()) return expected("a value, found nothing");
  target_of(reading) = json::array{"CMD-SHELL", value};
  return taken();
}

Result<void> read_health_time(const ParameterReading& reading, std::string_view value) {
  const auto time = parse_go_duration(value);
  if (!time || time->count() < 0) return expected("a time such as 30s or 1m30s");
  target_of(reading) = time->count();
  return taken();
}

Result<void> read_health_retries(const ParameterReading& reading, std::string_view value) {
  const auto number = parse_go_int(value);
  if (!number || *number < 0) return expected("a whole number that is not negative");
  target_of(reading) = *number;
  return taken();
}

Result<void> read_no_healthcheck(const ParameterReading& reading, std::string_view value) {
  const auto said = value.empty() ? Result<bool>(true) : parse_go_bool(value);
  if (!said) return expected("true, false or nothing (= true)");
  // Docker's word for it is the command NONE; read_parameters puts it in place when nothing else
  // is asked of the health check.
  if (*said) {
    target_of(reading) = true;
  } else {
    object_at(reading.out.body["Healthcheck"]).erase("None");
  }
  return taken();
}

}  // namespace sidecar_executor::docker
