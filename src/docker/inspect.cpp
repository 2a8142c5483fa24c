#include "docker/inspect.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>
#include <memory>

#include "base/pretty_json.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using std::chrono::system_clock;

constexpr std::size_t most_addresses = 64;
constexpr std::size_t longest_text = 2000;

Error no_field(std::string_view field, std::string_view wanted) {
  return Error{ErrorKind::protocol,
               "Docker's inspect answer has no " + std::string(wanted) + " " + std::string(field)};
}

Result<json::value> parse(std::string_view text, json::storage_ptr storage) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed, std::move(storage));
  if (failed)
    return Error{ErrorKind::protocol, "Docker's inspect answer is not JSON: " + failed.message()};
  if (!value.is_object())
    return Error{ErrorKind::protocol, "Docker's inspect answer is not a JSON object"};
  return value;
}

const json::object* object_at(const json::object* object, std::string_view key) {
  const auto* value = object != nullptr ? object->if_contains(key) : nullptr;
  return value != nullptr ? value->if_object() : nullptr;
}

using sidecar_executor::text_at;
std::string text_at(const json::object* object, std::string_view key) {
  return object != nullptr ? text_at(*object, key) : std::string{};
}

bool true_at(const json::object* object, std::string_view key) {
  const auto* value = object != nullptr ? object->if_contains(key) : nullptr;
  const auto* flag = value != nullptr ? value->if_bool() : nullptr;
  return flag != nullptr && *flag;
}

int int_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* number = value != nullptr ? value->if_int64() : nullptr;
  if (number == nullptr) return 0;
  constexpr std::int64_t low = std::numeric_limits<int>::min();
  constexpr std::int64_t high = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(*number, low, high));
}

/// Takes decimal digits from the front; nullopt when there are not exactly `count`.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

/// `.123456789`, any number of digits, none at all.
std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  std::chrono::nanoseconds out{0};
  if (!take(text, ".")) return out;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  std::int64_t unit = 100'000'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    out += std::chrono::nanoseconds(unit * (text.front() - '0'));
    unit /= 10;
    text.remove_prefix(1);
  }
  return out;
}

/// `Z` or `+02:00`: how far ahead of UTC the clock was. Nothing may follow.
std::optional<std::chrono::minutes> take_zone(std::string_view text) {
  if (text == "Z") return std::chrono::minutes(0);
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_digits(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || !text.empty()) return std::nullopt;
  const auto ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return west ? -ahead : ahead;
}

}  // namespace

std::optional<system_clock::time_point> parse_docker_time(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || !(take(text, "T") || take(text, " "))) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  const auto fraction = take_fraction(text);
  const auto zone = take_zone(text);
  if (!second || !fraction || !zone || *hour > 23 || *minute > 59 || *second > 60 || *year < 1970 ||
      *year > 2200)
    return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const auto time = std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                    std::chrono::seconds(*second) + *fraction - *zone;
  return std::chrono::sys_days(date) + std::chrono::duration_cast<system_clock::duration>(time);
}

namespace {

void add_addresses(const json::object* network, ContainerState& state) {
  if (state.addresses.size() + 2 > most_addresses) return;
  if (auto ip = text_at(network, "IPAddress"); !ip.empty())
    state.addresses.push_back({std::move(ip), false});
  if (auto ip = text_at(network, "GlobalIPv6Address"); !ip.empty())
    state.addresses.push_back({std::move(ip), true});
}

void read_state(const json::object& from, ContainerState& out) {
  out.running = true_at(&from, "Running");
  out.paused = true_at(&from, "Paused") || out.status == "paused";
  out.restarting = true_at(&from, "Restarting");
  out.oom_killed = true_at(&from, "OOMKilled");
  out.exit_code = int_at(from, "ExitCode");
  out.error = one_line(text_at(from, "Error"), longest_text);
  out.pid = std::max(0, int_at(from, "Pid"));
  out.started_at = text_at(from, "StartedAt");
  out.finished_at = parse_docker_time(text_at(from, "FinishedAt"));
  const auto started = parse_docker_time(out.started_at);
  // Of one that runs again, FinishedAt is of the run before.
  if (started && out.finished_at && *out.finished_at >= *started && !out.running)
    out.ran_for = *out.finished_at - *started;
}

void read_rest(const json::object& root, ContainerState& out) {
  const auto* config = object_at(&root, "Config");
  out.tty = true_at(config, "Tty");
  out.image_id = text_at(root, "Image");
  const auto* host = object_at(&root, "HostConfig");
  out.log_driver = text_at(object_at(host, "LogConfig"), "Type");
  out.network_mode = text_at(host, "NetworkMode");
  if (const auto* labels = object_at(config, "Labels")) {
    for (const auto& label : *labels)
      if (label.value().is_string())
        out.labels.emplace_back(label.key(), std::string(label.value().get_string()));
  }
  const auto* settings = object_at(&root, "NetworkSettings");
  if (const auto* networks = object_at(settings, "Networks")) {
    for (const auto& network : *networks) add_addresses(network.value().if_object(), out);
  }
  // Engines before 29 and Podman repeat the default network's addresses here.
  if (out.addresses.empty()) add_addresses(settings, out);
}

}  // namespace

Result<ContainerState> parse_inspect(std::string_view text) {
  // One arena that goes away at once: the document has hundreds of small nodes.
  json::monotonic_resource arena;
  const auto parsed = parse(text, &arena);
  if (!parsed) return parsed.error();
  const auto& root = parsed->get_object();
  ContainerState out;
  out.id = text_at(root, "Id");
  if (out.id.empty()) return no_field("Id", "text");
  const auto* state = object_at(&root, "State");
  if (state == nullptr) return no_field("State", "object");
  out.status = text_at(state, "Status");
  if (out.status.empty()) return no_field("State.Status", "text");
  // Podman, until its cleanup process has come by.
  if (out.status == "stopped") out.status = "exited";
  out.name = text_at(root, "Name");
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  read_state(*state, out);
  read_rest(root, out);
  return out;
}

Result<std::string> inspect_for_framework(std::string_view text) {
  json::monotonic_resource arena;
  auto parsed = parse(text, &arena);
  if (!parsed) return parsed.error();
  auto& root = parsed->get_object();
  auto* config = root.if_contains("Config");
  auto* fields = config != nullptr ? config->if_object() : nullptr;
  auto* env = fields != nullptr ? fields->if_contains("Env") : nullptr;
  if (env != nullptr) {
    json::array names(env->storage());
    if (const auto* assignments = env->if_array()) {
      for (const auto& assignment : *assignments) {
        // What is no text is no assignment, and is not passed on.
        if (!assignment.is_string()) continue;
        const std::string_view whole = assignment.get_string();
        names.emplace_back(whole.substr(0, whole.find('=')));
      }
    }
    *env = std::move(names);
  }
  return '[' + json_text(*parsed) + ']';
}

}  // namespace sidecar_executor::docker
