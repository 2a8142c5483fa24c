#include "mesos/check_info.hpp"

#include <array>

#include "base/encoding.hpp"
#include "base/url.hpp"
#include "mesos/json_field.hpp"

namespace sidecar_executor::mesos {
namespace {

using std::chrono::nanoseconds;

constexpr std::int64_t highest_port = 65535;
constexpr std::int64_t highest_status = 999;
/// Beyond it now + time may overflow.
constexpr auto longest = nanoseconds(std::chrono::hours(24 * 365 * 100));

struct Type {
  CheckType type;
  std::string_view name;
  std::string_view member;
};
constexpr std::array types{Type{CheckType::command, "COMMAND", "command"},
                           Type{CheckType::http, "HTTP", "http"},
                           Type{CheckType::tcp, "TCP", "tcp"}};

/// Named; else, as before Mesos 1.2, the one whose member is there.
const Type* type_of(const JsonField& check) {
  const JsonField field = check["type"];
  const auto name = field.text();
  for (const Type& type : types) {
    if (name ? *name == type.name : check[type.member].present()) return &type;
  }
  if (name) {
    field.expected("COMMAND, HTTP or TCP");
  } else {
    field.wrong("missing; expected COMMAND, HTTP or TCP");
  }
  return nullptr;
}

/// JSON has a fraction of a second as Mesos' doubles have it.
nanoseconds seconds(const JsonField& field, double otherwise) {
  constexpr double one = 1e9;
  const double ns = field.amount().value_or(otherwise) * one;
  return ns < static_cast<double>(longest.count()) ? nanoseconds(static_cast<std::int64_t>(ns))
                                                   : longest;
}

std::uint16_t port(const JsonField& field) {
  if (!field.present()) field.missing();
  const auto number = field.whole(highest_port);
  if (number == 0) field.expected("a port from 1 to 65535");
  return static_cast<std::uint16_t>(number.value_or(0));
}

bool is_v6(const JsonField& protocol) {
  const auto name = protocol.text();
  if (name && *name != "IPv4" && *name != "IPv6") protocol.expected("IPv4 or IPv6");
  return name == "IPv6";
}

/// `NAME=value`.
std::string assignment(const JsonField& variable) {
  const std::string name = variable["name"].required_text();
  if (variable["type"].text() != "SECRET") return name + "=" + variable["value"].text_or_empty();
  const JsonField data = variable["secret"]["value"]["data"];
  if (!data.present()) data.wrong("missing; a check's secrets are of type VALUE");
  const auto decoded = base64_decode(data.text_or_empty());
  if (!decoded) data.wrong("expected base64");
  return name + "=" + decoded.value_or("");
}

CommandCheck command_check(const JsonField& command) {
  CommandCheck out;
  const JsonField value = command["value"];
  const JsonField shell = command["shell"];
  if (!shell.present() || shell.flag()) {
    out.argv = {"/bin/sh", "-c", value.required_text()};
    if (out.argv.back().empty()) value.wrong("empty");
  } else {
    if (auto program = value.text()) out.argv.push_back(std::move(*program));
    command["arguments"].each(
        [&out](const JsonField& item) { out.argv.push_back(item.text_or_empty()); });
    if (out.argv.empty() || out.argv.front().empty()) value.wrong("missing or empty");
  }
  command["environment"]["variables"].each(
      [&out](const JsonField& item) { out.environment.push_back(assignment(item)); });
  return out;
}

HttpCheck http_check(const JsonField& http) {
  HttpCheck out;
  out.port = port(http["port"]);
  out.v6 = is_v6(http["protocol"]);
  const JsonField scheme = http["scheme"];
  if (const auto name = scheme.text()) {
    if (*name != "http" && *name != "https") scheme.expected("http or https");
    out.tls = *name == "https";
  }
  const JsonField path = http["path"];
  if (const auto text = path.text(); text && !text->empty()) {
    // Bytes above ASCII are sent as they are, as curl does for Mesos' own executors.
    if (text->front() != '/' || holds_blank_or_control(*text)) {
      path.expected("a path that begins with / and has no blanks");
    }
    out.path = *text;
  }
  http["statuses"].each([&out](const JsonField& item) {
    out.statuses.push_back(static_cast<int>(item.whole(highest_status).value_or(0)));
  });
  return out;
}

/// What both messages have. `command`: where the CommandInfo is.
std::optional<Check> read(const JsonField& field, const JsonField& command) {
  const Type* type = type_of(field);
  if (type == nullptr) return std::nullopt;
  const JsonField member = field[type->member];
  if (!member.present()) {
    member.wrong("missing; a check of type " + std::string(type->name) + " needs it");
  }
  Check out;
  switch (type->type) {
    case CheckType::command:
      out.kind = command_check(command);
      break;
    case CheckType::http:
      out.kind = http_check(member);
      break;
    case CheckType::tcp:
      out.kind = TcpCheck{port(member["port"]), is_v6(member["protocol"])};
      break;
  }
  constexpr double delay = 15;  // the defaults of mesos.proto
  constexpr double interval = 10;
  constexpr double timeout = 20;
  out.delay = seconds(field["delay_seconds"], delay);
  out.interval = seconds(field["interval_seconds"], interval);
  out.timeout = seconds(field["timeout_seconds"], timeout);
  if (out.timeout == nanoseconds(0)) out.timeout = nanoseconds::max();
  return out;
}

}  // namespace

std::string_view to_string(CheckType type) { return types[static_cast<std::size_t>(type)].name; }

std::optional<HealthCheck> read_health_check(const JsonField& field) {
  if (!field.present()) return std::nullopt;
  auto check = read(field, field["command"]);
  if (!check) return std::nullopt;
  constexpr double grace = 10;
  HealthCheck out;
  out.check = std::move(*check);
  out.grace_period = seconds(field["grace_period_seconds"], grace);
  out.consecutive_failures =
      field["consecutive_failures"].whole().value_or(out.consecutive_failures);
  return out;
}

std::optional<Check> read_check(const JsonField& field) {
  if (!field.present()) return std::nullopt;
  return read(field, field["command"]["command"]);
}

}  // namespace sidecar_executor::mesos
