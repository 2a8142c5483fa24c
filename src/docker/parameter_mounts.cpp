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

/// One `mount`. Members are Docker's (api/types/mount).
class MountReader {
 public:
  Result<json::object> read(std::string_view value) {
    const auto fields = parse_csv(value);
    if (!fields) return expected("fields with commas between them: type=bind,src=/a,dst=/b");
    for (const auto& text : *fields) {
      auto field = split_key_value(text);
      field.key = to_lower(field.key);
      const auto read = general(field);
      if (!read) return read.error();
    }
    return checked();
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
      mount_["Source"] = *field.value;
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
      if (!is_one_of(value, {"private", "rprivate", "shared", "rshared", "slave", "rslave"}))
        return expected("private, shared or slave (or with r in front) as bind-propagation");
      options("Bind")["Propagation"] = value;
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
    needs_read_only_ = needs_read_only_ || value == "writable" || value == "readonly";
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
  Result<json::object> checked() {
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
    const auto* read_only = mount_.if_contains("ReadOnly");
    if (needs_read_only_ && (read_only == nullptr || !read_only->as_bool()))
      return expected("readonly beside bind-recursive=writable or readonly");
    return std::move(mount_);
  }

  json::object mount_;
  bool needs_read_only_ = false;
};

/// `ro,z,rshared`: what may follow the second colon of a bind.
bool are_bind_modes(std::string_view text) {
  const auto words = split(text, ',');
  return !words.empty() && std::all_of(words.begin(), words.end(), [](const std::string& word) {
    return is_one_of(word, {"ro", "rw", "z", "Z", "nocopy", "private", "rprivate", "shared",
                            "rshared", "slave", "rslave", "consistent", "cached", "delegated"});
  });
}

}  // namespace

Result<void> read_mount(const ParameterReading& reading, std::string_view value) {
  auto mount = MountReader().read(value);
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
  auto parts = split(value, ':');
  if (parts.empty() || parts.size() > 3 || parts[0].empty()) return form;
  if (parts.size() == 1) {  // a volume without a name
    if (!value.starts_with('/')) return form;
    object_at(reading.out.body["Volumes"])[value].emplace_object();
    return taken();
  }
  if (!parts[1].starts_with('/') || (parts.size() == 3 && !are_bind_modes(parts[2]))) return form;
  if (parts[0].starts_with('.')) {  // no volume's name begins so
    if (reading.inputs.sandbox.empty()) return expected("a host path from /");
    const bool here = parts[0] == "." || parts[0].starts_with("./");
    parts[0] = reading.inputs.sandbox + (here ? parts[0].substr(1) : "/" + parts[0]);
  }
  std::string bind = parts[0] + ":" + parts[1];
  if (parts.size() == 3) bind += ":" + parts[2];
  array_at(target_of(reading)).emplace_back(bind);
  return taken();
}

}  // namespace sidecar_executor::docker
