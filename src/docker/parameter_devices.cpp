// Readers: CPU, memory, block devices, devices and GPUs.

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameter_readers.hpp"
#include "docker/parameter_values.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

Result<void> read_within(const ParameterReading& reading, std::string_view value,
                         std::int64_t least, std::int64_t most) {
  const auto number = parse_go_int(value);
  if (!number || *number < least || *number > most)
    return expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  target_of(reading) = *number;
  return taken();
}

/// `/dev/sda:<rest>`; nullopt without either.
struct DeviceValue {
  std::string path;
  std::string value;
};
std::optional<DeviceValue> device_value(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2 || !parts[0].starts_with("/dev/") || parts[1].empty()) return std::nullopt;
  return DeviceValue{parts[0], parts[1]};
}

/// `rwm`. A rule may say a letter twice, a device may not.
bool is_rule_mode(std::string_view text) {
  return !text.empty() && text.size() <= 3 &&
         text.find_first_not_of("rwm") == std::string_view::npos;
}
bool is_device_mode(std::string_view text) {
  return is_rule_mode(text) && std::all_of(text.begin(), text.end(), [text](char c) {
           return text.find(c) == text.rfind(c);
         });
}

/// `vendor.com/class=name`, a device of the Container Device Interface. NVIDIA's parts of a GPU
/// have a colon in their names: `nvidia.com/gpu=0:1`.
bool is_cdi_name(std::string_view text) {
  const auto equals = text.find('=');
  const auto slash = text.substr(0, equals).find('/');
  return equals != std::string_view::npos && slash != std::string_view::npos &&
         is_word(text.substr(0, slash), "-_.") &&
         is_word(text.substr(slash + 1, equals - slash - 1), "-_.") &&
         is_word(text.substr(equals + 1), "-_.:");
}

/// `c 1:3 rwm`, the kernel's own syntax.
bool is_device_rule(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 3 || (words[0] != "a" && words[0] != "b" && words[0] != "c")) return false;
  const auto numbers = split(words[1], ':');
  const auto good = [](const std::string& number) { return number == "*" || all_digits(number); };
  return numbers.size() == 2 && good(numbers[0]) && good(numbers[1]) && is_rule_mode(words[2]);
}

json::array texts(const std::vector<std::string>& from) {
  return json::array(from.begin(), from.end());
}

/// Capabilities are a list of sets. (`json::array{set}` would be a copy of the set.)
json::array one_set(json::array set) {
  json::array out;
  out.emplace_back(std::move(set));
  return out;
}

std::optional<std::int64_t> gpu_count(std::string_view text) {
  constexpr std::int64_t all = -1;
  if (text == "all") return all;
  const auto number = parse_decimal(text);
  return number && *number >= all ? number : std::nullopt;
}

/// `options` of `gpus`: a list in one field, `"options=a=b,c=d"`.
bool read_gpu_options(std::string_view text, json::object& options) {
  const auto fields = parse_csv(text);
  if (!fields) return false;
  for (const auto& field : *fields) {
    const auto pair = split_key_value(field);
    options[pair.key] = pair.value.value_or("");
  }
  return true;
}

/// The member of a device request that a field of `gpus` sets; empty for none.
std::string_view gpu_member(const KeyValue& field) {
  if (!field.value || field.key == "count") return "Count";
  if (field.key == "device") return "DeviceIDs";
  if (field.key == "driver") return "Driver";
  if (field.key == "capabilities") return "Capabilities";
  return field.key == "options" ? "Options" : "";
}

/// One field of `gpus`; false when it is not understood, or said twice.
bool read_gpu_field(std::string_view text, json::object& request) {
  const auto field = split_key_value(text);
  const auto member = gpu_member(field);
  if (member.empty() || request.contains(member)) return false;
  auto& value = request[member];
  if (member == "Options") return read_gpu_options(*field.value, value.emplace_object());
  if (member == "Count") {
    const auto number = gpu_count(field.value.value_or(field.key));
    if (!number) return false;
    value = *number;
  } else if (member == "DeviceIDs") {
    value = texts(split(*field.value, ','));
  } else if (member == "Capabilities") {
    auto all = split(*field.value, ',');
    all.emplace_back("gpu");
    value = one_set(texts(all));
  } else {
    value = *field.value;
  }
  return true;
}

}  // namespace

Result<void> read_cpus(const ParameterReading& reading, std::string_view value) {
  const auto nano = parse_nano_cpus(value);
  if (!nano) return expected("a number of CPUs such as 1.5");
  target_of(reading) = *nano;
  return taken();
}

Result<void> read_swappiness(const ParameterReading& reading, std::string_view value) {
  constexpr std::int64_t as_the_host = -1;
  return read_within(reading, value, as_the_host, 100);
}

Result<void> read_oom_score(const ParameterReading& reading, std::string_view value) {
  return read_within(reading, value, -1000, 1000);  // proc(5), oom_score_adj
}

Result<void> read_blkio_weight(const ParameterReading& reading, std::string_view value) {
  if (value == "0") return taken();  // none
  return read_within(reading, value, 10, 1000);
}

Result<void> read_weight_device(const ParameterReading& reading, std::string_view value) {
  const auto device = device_value(value);
  const auto weight = device ? parse_decimal(device->value) : std::nullopt;
  if (!weight || (*weight != 0 && (*weight < 10 || *weight > 1000)))
    return expected("/dev/name:weight with a weight from 10 to 1000");
  array_at(target_of(reading)).push_back(json::object{{"Path", device->path}, {"Weight", *weight}});
  return taken();
}

Result<void> read_device_bytes(const ParameterReading& reading, std::string_view value) {
  const auto device = device_value(value);
  const auto rate = device ? parse_bytes(device->value) : std::nullopt;
  if (!rate) return expected("/dev/name:rate with a rate such as 10mb");
  array_at(target_of(reading)).push_back(json::object{{"Path", device->path}, {"Rate", *rate}});
  return taken();
}

Result<void> read_device_operations(const ParameterReading& reading, std::string_view value) {
  const auto device = device_value(value);
  const auto rate = device ? parse_decimal(device->value) : std::nullopt;
  if (!rate || *rate < 0) return expected("/dev/name:operations per second");
  array_at(target_of(reading)).push_back(json::object{{"Path", device->path}, {"Rate", *rate}});
  return taken();
}

Result<void> read_device(const ParameterReading& reading, std::string_view value) {
  if (is_cdi_name(value)) {
    array_at(body_member(reading.out.body, "HostConfig.DeviceRequests"))
        .push_back(json::object{{"Driver", "cdi"}, {"DeviceIDs", json::array{value}}});
    return taken();
  }
  auto form = expected("/dev/host[:/dev/container][:rwm] or vendor/class=name");
  const auto parts = split(value, ':');
  if (parts.empty() || parts.size() > 3 || !parts[0].starts_with('/')) return form;
  std::string inside = parts[0];
  std::string mode = "rwm";
  if (parts.size() == 2 && is_device_mode(parts[1])) {
    mode = parts[1];
  } else if (parts.size() >= 2) {
    inside = parts[1];
  }
  if (parts.size() == 3) mode = parts[2];
  if (!inside.starts_with('/') || !is_device_mode(mode)) return form;
  array_at(target_of(reading))
      .push_back(json::object{
          {"PathOnHost", parts[0]}, {"PathInContainer", inside}, {"CgroupPermissions", mode}});
  return taken();
}

Result<void> read_device_rule(const ParameterReading& reading, std::string_view value) {
  if (!is_device_rule(value)) return expected("type major:minor mode such as c 189:* rwm");
  array_at(target_of(reading)).emplace_back(value);
  return taken();
}

Result<void> read_gpus(const ParameterReading& reading, std::string_view value) {
  auto form = expected("all, a number, or fields such as \"device=0,1\",capabilities=utility");
  const auto fields = parse_csv(value);
  if (!fields) return form;
  json::object request;
  for (const auto& field : *fields) {
    if (!read_gpu_field(field, request)) return form;
  }
  // device=0,1 without quotes is a device and a count: Docker takes one or the other.
  if (request.contains("Count") && request.contains("DeviceIDs"))
    return expected("a count or devices, not both; several devices need quotes: \"device=0,1\"");
  if (!request.contains("Count") && !request.contains("DeviceIDs")) request["Count"] = 1;
  if (!request.contains("Capabilities")) request["Capabilities"] = one_set({"gpu"});
  array_at(target_of(reading)).push_back(std::move(request));
  return taken();
}

}  // namespace sidecar_executor::docker
