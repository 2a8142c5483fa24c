#include "docker/volumes.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using Source = mesos::Volume::Source;

constexpr std::size_t longest_shown = 200;
/// Where Mesos' containerizers show the sandbox in a container: relative container paths are below.
constexpr std::string_view sandbox_inside = "/mnt/mesos/sandbox";

Error invalid(std::string message) { return Error{ErrorKind::invalid, std::move(message)}; }

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
    for (const auto& option : volume.driver_options) {
      auto& options = driver["Options"];
      if (!options.is_object()) options.emplace_object();
      options.get_object()[option.key] = option.value;
    }
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

}  // namespace

Result<VolumePlan> plan_volumes(const std::vector<mesos::Volume>& volumes,
                                const std::string& sandbox, bool has_driver) {
  VolumePlan out;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto path = "container.volumes[" + std::to_string(i) + "]";
    auto planned = Planner(volumes[i], path, sandbox, has_driver, out).plan();
    if (!planned) return planned.error();
  }
  return out;
}

}  // namespace sidecar_executor::docker
