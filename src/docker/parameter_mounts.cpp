// Readers: mount, tmpfs, volume.

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameter_readers.hpp"
#include "docker/parameter_values.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

/// `readonly`, `readonly=true`: nullopt for anything else.
std::optional<bool> switched(const KeyValue& field) {
  if (!field.value) return true;
  const auto said = parse_go_bool(*field.value);
  return said ? std::optional<bool>(*said) : std::nullopt;
}

/// Octal file mode, `1777`.
std::optional<std::int64_t> file_mode(std::string_view text) {
  constexpr std::int64_t most = 07777;
  std::int64_t out = 0;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '7' || out > most) return std::nullopt;
    out = out * 8 + (c - '0');
  }
  return out <= most ? std::optional<std::int64_t>(out) : std::nullopt;
}

bool is_propagation(std::string_view text) {
  return is_one_of(text, {"private", "rprivate", "shared", "rshared", "slave", "rslave"});
}

/// `./x`, `.x`, `.` are below the sandbox; `docker run` takes the folder that it stands in.
Result<std::string> host_path(const ParameterReading& reading, const std::string& path) {
  if (!path.starts_with('.')) return std::string(path);
  const auto& sandbox = reading.inputs.sandbox;
  if (sandbox.empty()) return expected("a host path from /");
  const bool here = path == "." || path.starts_with("./");
  return sandbox + (here ? path.substr(1) : "/" + path);
}

/// One `mount`. Members are Docker's (api/types/mount).
class MountReader {
 public:
  explicit MountReader(const ParameterReading& reading) : reading_(reading) {}

  Result<json::object> read(std::string_view value) {
    const auto fields = parse_csv(value);
    if (!fields) return expected("fields with commas between them: type=bind,src=/a,dst=/b");
    for (const auto& text : *fields) {
      auto field = split_key_value(text);
      field.key = to_lower(field.key);
      const auto read = general(field);
      if (!read) return read.error();
    }
    const auto good = check();
    if (!good) return good.error();
    note_needs();
    return std::move(mount_);
  }

 private:
  Result<void> general(const KeyValue& field) {
    const auto& key = field.key;
    if (is_one_of(key, {"readonly", "ro", "volume-nocopy", "bind-nonrecursive"}))
      return switch_of(field);
    if (!field.value) return expected("key=value in each field of a mount");
    if (key == "type") {
      mount_["Type"] = to_lower(*field.value);
    } else if (is_one_of(key, {"source", "src"})) {
      const auto path = host_path(reading_, *field.value);
      if (!path) return path.error();
      mount_["Source"] = *path;
    } else if (is_one_of(key, {"target", "dst", "destination"})) {
      mount_["Target"] = *field.value;
    } else if (key == "consistency") {
      mount_["Consistency"] = to_lower(*field.value);
    } else {
      return option(key, *field.value);
    }
    return taken();
  }

  Result<void> switch_of(const KeyValue& field) {
    const auto on = switched(field);
    if (!on) return expected("true or false behind readonly, volume-nocopy and bind-nonrecursive");
    if (field.key == "volume-nocopy") {
      options("Volume")["NoCopy"] = *on;
    } else if (field.key == "bind-nonrecursive") {
      options("Bind")["NonRecursive"] = *on;
    } else {
      mount_["ReadOnly"] = *on;
    }
    return taken();
  }

  Result<void> option(const std::string& key, const std::string& value) {
    if (key == "bind-propagation") {
      const auto propagation = to_lower(value);
      if (!is_propagation(propagation))
        return expected("private, shared or slave (or with r in front) as bind-propagation");
      options("Bind")["Propagation"] = propagation;
    } else if (key == "bind-recursive") {
      return bind_recursive(value);
    } else if (key == "volume-subpath") {
      options("Volume")["Subpath"] = value;
    } else if (key == "volume-driver") {
      object_at(options("Volume")["DriverConfig"])["Name"] = value;
    } else if (key == "volume-opt") {
      const auto pair = split_key_value(value);
      object_at(object_at(options("Volume")["DriverConfig"])["Options"])[pair.key] =
          pair.value.value_or("");
    } else if (key == "volume-label") {
      const auto pair = split_key_value(value);
      object_at(options("Volume")["Labels"])[pair.key] = pair.value.value_or("");
    } else if (key == "image-subpath") {
      options("Image")["Subpath"] = value;
    } else {
      return tmpfs(key, value);
    }
    return taken();
  }

  Result<void> bind_recursive(const std::string& value) {
    auto& bind = options("Bind");
    if (value == "disabled") {
      bind["NonRecursive"] = true;
    } else if (value == "writable") {
      bind["ReadOnlyNonRecursive"] = true;
    } else if (value == "readonly") {
      bind["ReadOnlyForceRecursive"] = true;
    } else if (value != "enabled") {
      return expected("enabled, disabled, writable or readonly as bind-recursive");
    }
    return taken();
  }

  Result<void> tmpfs(const std::string& key, const std::string& value) {
    if (key == "tmpfs-size") {
      const auto bytes = parse_bytes(value);
      if (!bytes) return expected("a size such as 64m as tmpfs-size");
      options("Tmpfs")["SizeBytes"] = *bytes;
    } else if (key == "tmpfs-mode") {
      const auto mode = file_mode(value);
      if (!mode) return expected("an octal mode such as 1777 as tmpfs-mode");
      options("Tmpfs")["Mode"] = *mode;
    } else {
      return expected(
          "fields of a mount: type, source, target, readonly, consistency, bind-..., volume-..., "
          "tmpfs-..., image-subpath");
    }
    return taken();
  }

  json::object& options(std::string_view kind) {
    return object_at(mount_[std::string(kind) + "Options"]);
  }

  /// What Docker's command line and its daemon check.
  Result<void> check() {
    if (!mount_.contains("Type")) mount_["Type"] = "volume";
    const std::string type(mount_["Type"].as_string());
    if (!is_one_of(type, {"bind", "volume", "tmpfs", "image", "npipe", "cluster"}))
      return expected("bind, volume, tmpfs or image as type");
    for (const auto* kind : {"Bind", "Volume", "Tmpfs", "Image"}) {
      if (mount_.contains(std::string(kind) + "Options") && to_lower(kind) != type)
        return expected("no " + to_lower(kind) + "- options with type " + type);
    }
    const auto* target = mount_.if_contains("Target");
    if (target == nullptr || !std::string_view(target->as_string()).starts_with('/'))
      return expected("a target from /");
    const auto* source = mount_.if_contains("Source");
    const std::string_view from = source == nullptr ? "" : std::string_view(source->as_string());
    if (type == "bind" && !from.starts_with('/')) return expected("a source from / with type bind");
    if (type == "tmpfs" && !from.empty()) return expected("no source with type tmpfs");
    return check_recursion();
  }

  Result<void> check_recursion() {
    const auto* bind = mount_.if_contains("BindOptions");
    if (bind == nullptr) return taken();
    const auto& asked = bind->get_object();
    const bool forced = asked.contains("ReadOnlyForceRecursive");
    const auto* read_only = mount_.if_contains("ReadOnly");
    if ((forced || asked.contains("ReadOnlyNonRecursive")) &&
        (read_only == nullptr || !read_only->as_bool()))
      return expected("readonly beside bind-recursive=writable or readonly");
    const auto* propagation = asked.if_contains("Propagation");
    if (forced && (propagation == nullptr || *propagation != "rprivate"))
      return expected("bind-propagation=rprivate beside bind-recursive=readonly");
    return taken();
  }

  /// Older APIs ignore these fields, or refuse them without saying which parameter it was.
  void note_needs() {
    const auto has = [this](std::string_view kind, std::string_view member) {
      const auto* options = mount_.if_contains(kind);
      return options != nullptr && options->get_object().contains(member);
    };
    auto& needs = reading_.out.needs;
    if (mount_["Type"] == "image") needs.push_back({"mount (type=image)", 48});
    if (has("VolumeOptions", "Subpath")) needs.push_back({"mount (volume-subpath)", 45});
    // `disabled` is older, `enabled` is nothing.
    if (has("BindOptions", "ReadOnlyNonRecursive") || has("BindOptions", "ReadOnlyForceRecursive"))
      needs.push_back({"mount (bind-recursive)", 44});
  }

  const ParameterReading& reading_;
  json::object mount_;
};

/// `ro,z,rshared`: what may follow the second colon of a bind.
bool are_bind_modes(std::string_view text) {
  const auto words = split(text, ',');
  return !words.empty() && std::all_of(words.begin(), words.end(), [](const std::string& word) {
    return is_propagation(word) ||
           is_one_of(word, {"ro", "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated"});
  });
}

/// A bind whose host path has a colon: Binds have no way to quote one (volumes.cpp has the same).
Result<json::object> mount_of_bind(const std::string& host, const std::string& target,
                                   std::string_view modes) {
  json::object mount{{"Type", "bind"}, {"Source", host}, {"Target", target}};
  // A folder that is missing is made, as for a bind. Before API 1.42 it has to be there.
  json::object options{{"CreateMountpoint", true}};
  for (const auto& mode : split(modes, ',')) {
    if (is_one_of(mode, {"z", "Z", "nocopy"}))
      return expected("no z, Z or nocopy in a sandbox whose path has a colon");
    if (mode == "ro") mount["ReadOnly"] = true;
    if (is_propagation(mode)) options["Propagation"] = mode;
  }
  mount["BindOptions"] = std::move(options);
  return mount;
}

/// `docker run` keeps volumes in a set, and Docker refuses a "Duplicate mount point".
void add_once(json::array& list, json::value item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

}  // namespace

Result<void> read_mount(const ParameterReading& reading, std::string_view value) {
  auto mount = MountReader(reading).read(value);
  if (!mount) return mount.error();
  array_at(target_of(reading)).push_back(std::move(*mount));
  return taken();
}

Result<void> read_tmpfs(const ParameterReading& reading, std::string_view value) {
  const auto colon = value.find(':');
  const auto path = value.substr(0, colon);
  if (!path.starts_with('/')) return expected("/path or /path:options such as /run:size=64m");
  object_at(target_of(reading))[path] =
      colon == std::string_view::npos ? std::string_view{} : value.substr(colon + 1);
  return taken();
}

Result<void> read_volume(const ParameterReading& reading, std::string_view value) {
  auto form = expected("/host:/container[:ro], volume:/container[:ro] or /container");
  const auto parts = split(value, ':');
  if (parts.empty() || parts.size() > 3 || parts[0].empty()) return form;
  if (parts.size() == 1) {  // a volume without a name
    if (!value.starts_with('/')) return form;
    object_at(reading.out.body["Volumes"])[value].emplace_object();
    return taken();
  }
  if (!parts[1].starts_with('/') || (parts.size() == 3 && !are_bind_modes(parts[2]))) return form;
  const auto host = host_path(reading, parts[0]);
  if (!host) return host.error();
  const std::string modes = parts.size() == 3 ? parts[2] : "";
  if (host->find(':') == std::string::npos) {
    const auto bind = *host + ":" + parts[1] + (modes.empty() ? "" : ":" + modes);
    add_once(array_at(target_of(reading)), json::value(bind));
    return taken();
  }
  auto mount = mount_of_bind(*host, parts[1], modes);
  if (!mount) return mount.error();
  add_once(array_at(body_member(reading.out.body, "HostConfig.Mounts")), std::move(*mount));
  return taken();
}

}  // namespace sidecar_executor::docker
