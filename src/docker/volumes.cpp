#include "docker/volumes.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <tuple>

#include "base/text.hpp"
#include "docker/body_parts.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using Source = mesos::Volume::Source;

constexpr std::size_t longest_shown = 200;
/// Where Mesos' containerizers show the sandbox in a container: relative container paths are below.
constexpr std::string_view sandbox_inside = "/mnt/mesos/sandbox";

/// `..` would lead out of the sandbox.
bool goes_up(const std::string& path) {
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

std::string below(std::string_view folder, std::string_view path) {
  while (path.starts_with("/")) path.remove_prefix(1);
  while (path.starts_with("./")) path.remove_prefix(2);
  std::string out(folder);
  if (!path.empty() && path != ".") out += "/" + std::string(path);
  return out;
}

/// Mesos' names of mount propagation, as Docker calls them.
const char* propagation_of(const std::string& mode) {
  if (mode == "HOST_TO_CONTAINER") return "rslave";
  if (mode == "BIDIRECTIONAL") return "rshared";
  return nullptr;
}

/// One volume.
class Planner {
 public:
  Planner(const mesos::Volume& volume, std::string path, const std::string& sandbox,
          bool has_driver, VolumePlan& out)
      : volume_(volume),
        path_(std::move(path)),
        sandbox_(sandbox),
        has_driver_(has_driver),
        out_(out) {}

  Result<void> plan() {
    if (volume_.container_path.empty()) return invalid(path_ + ".container_path: missing or empty");
    target_ = volume_.container_path.starts_with('/')
                  ? volume_.container_path
                  : below(sandbox_inside, volume_.container_path);
    // As in Mesos, host_path comes before source.
    if (volume_.host_path && !volume_.host_path->empty())
      return host_path(".host_path", *volume_.host_path, true);
    switch (volume_.source) {
      case Source::none:
        return in_sandbox(".container_path", volume_.container_path);
      case Source::docker_volume:
        return docker_volume();
      case Source::host_path:
        if (volume_.source_path.empty())
          return invalid(path_ + ".source.host_path.path: missing or empty");
        return host_path(".source.host_path.path", volume_.source_path, false);
      case Source::sandbox_path:
        return sandbox_path();
      case Source::secret:
        return invalid(path_ +
                       ".source.type: volumes of type SECRET are not supported; give the "
                       "secret as a variable of type SECRET");
      case Source::unknown:
        break;
    }
    return invalid(path_ + ".source.type: expected DOCKER_VOLUME, HOST_PATH or SANDBOX_PATH");
  }

 private:
  Result<void> host_path(const char* field, const std::string& path, bool may_be_a_name) {
    // `docker run --volume-driver D -v name:/path`
    const bool is_name = may_be_a_name && has_driver_;
    if (!path.starts_with('/') && !is_name) return in_sandbox(field, path);
    bind(path);
    return boost::system::in_place_value;
  }

  Result<void> sandbox_path() {
    if (volume_.sandbox_path_of_parent)
      return invalid(path_ +
                     ".source.sandbox_path.type: PARENT is for nested containers, this "
                     "task has none");
    if (volume_.source_path.empty())
      return invalid(path_ + ".source.sandbox_path.path: missing or empty");
    return in_sandbox(".source.sandbox_path.path", volume_.source_path);
  }

  Result<void> in_sandbox(const char* field, const std::string& path) {
    const auto shown = path_ + field + ": \"" + one_line(path, longest_shown) + "\"";
    if (goes_up(path)) return invalid(shown + " leads out of the sandbox with \"..\"");
    if (sandbox_.empty())
      return invalid(shown + " is below the sandbox, and MESOS_SANDBOX does not say where that is");
    const auto host = below(sandbox_, path);
    out_.directories.push_back(host);
    bind(host);
    return boost::system::in_place_value;
  }

  void bind(const std::string& host) {
    const char* propagation = propagation_of(volume_.propagation);
    // Binds are `host:container:mode`, without any way to quote.
    if ((host + target_).find(':') != std::string::npos) return mount_bind(host, propagation);
    std::string mode = read_only() ? "ro" : "";
    if (propagation != nullptr) mode += std::string(mode.empty() ? "" : ",") + propagation;
    out_.binds.emplace_back(host + ":" + target_ + (mode.empty() ? "" : ":" + mode));
  }

  void mount_bind(const std::string& host, const char* propagation) {
    json::object mount{{"Type", "bind"}, {"Source", host}, {"Target", target_}};
    if (read_only()) mount["ReadOnly"] = true;
    if (propagation != nullptr) mount["BindOptions"] = json::object{{"Propagation", propagation}};
    out_.mounts.push_back(std::move(mount));
  }

  Result<void> docker_volume() {
    const auto& volume = volume_.docker_volume;
    if (volume.name.empty()) return invalid(path_ + ".source.docker_volume.name: missing or empty");
    json::object mount{{"Type", "volume"}, {"Source", volume.name}, {"Target", target_}};
    if (read_only()) mount["ReadOnly"] = true;
    json::object driver;
    if (!volume.driver.empty()) driver["Name"] = volume.driver;
    for (const auto& option : volume.driver_options)
      object_at(driver["Options"])[option.key] = option.value;
    if (!driver.empty()) mount["VolumeOptions"] = json::object{{"DriverConfig", driver}};
    out_.mounts.push_back(std::move(mount));
    return boost::system::in_place_value;
  }

  [[nodiscard]] bool read_only() const { return volume_.has_mode && volume_.read_only; }

  const mesos::Volume& volume_;
  std::string path_;  ///< `container.volumes[2]`
  const std::string& sandbox_;
  bool has_driver_;
  VolumePlan& out_;
  std::string target_;
};

/// dockerd compares container paths without a slash at the end.
std::string clean(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

/// The container path of one of Binds or Mounts.
std::string target_of(const json::value& volume) {
  if (volume.is_object()) return clean(volume.at("Target").as_string());
  const auto parts = split(volume.as_string(), ':');
  return parts.size() > 1 ? clean(parts[1]) : std::string();
}

/// What the fields put where, by container path.
std::map<std::string, json::value> by_target(const VolumePlan& plan) {
  std::map<std::string, json::value> out;
  for (const auto* list : {&plan.binds, &plan.mounts})
    for (const auto& volume : *list) out.emplace(target_of(volume), volume);
  return out;
}

std::string gives_way(std::string_view flag, const std::string& target) {
  return "parameter \"" + std::string(flag) + "\": container.volumes has something else at " +
         one_line(target, longest_shown) + " and wins, ignoring";
}

/// Those of the parameters' `asked` that no field has a volume in the place of.
json::array without_fields(const json::array& asked, std::string_view flag,
                           const std::map<std::string, json::value>& fields,
                           std::vector<std::string>& warnings) {
  json::array out;
  for (const auto& volume : asked) {
    const auto field = fields.find(target_of(volume));
    if (field == fields.end()) {
      out.push_back(volume);
    } else if (volume != field->second) {
      warnings.push_back(gives_way(flag, field->first));
    }
  }
  return out;
}

}  // namespace

void put_volumes(const VolumePlan& plan, json::object& host_config,
                 std::vector<std::string>& warnings) {
  const auto fields = by_target(plan);
  const std::tuple<const char*, const char*, const json::array&> lists[] = {
      {"Binds", "volume", plan.binds}, {"Mounts", "mount", plan.mounts}};
  for (const auto& [member, flag, planned] : lists) {
    auto& all = array_at(host_config[member]);
    all = without_fields(all, flag, fields, warnings);
    all.insert(all.end(), planned.begin(), planned.end());
    if (all.empty()) host_config.erase(member);
  }
  auto* tmpfs = host_config.if_contains("Tmpfs");
  for (const auto& [target, field] : fields) {
    if (tmpfs != nullptr && tmpfs->get_object().erase(target) > 0)
      warnings.push_back(gives_way("tmpfs", target));
  }
}

Result<VolumePlan> plan_volumes(const std::vector<mesos::Volume>& volumes,
                                const std::string& sandbox, bool has_driver) {
  VolumePlan out;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto path = indexed("container.volumes", i);
    auto planned = Planner(volumes[i], path, sandbox, has_driver, out).plan();
    if (!planned) return planned.error();
  }
  return out;
}

}  // namespace sidecar_executor::docker
