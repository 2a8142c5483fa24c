#include "relay/record.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/stamp.hpp"
#include "relay/escape.hpp"

namespace sidecar_executor::relay {
namespace {

constexpr std::size_t level_size = 5;   // error
constexpr std::size_t stamp_size = 40;  // with nine digits and an offset
constexpr std::size_t part_size = 15;   // 1048576/1048576
/// Labels that leave less than this for the line are left out.
constexpr std::size_t least_room = Record::largest / 2;

/// What the Go executor looks for on stderr, in any case.
bool says_error(std::string_view text) {
  constexpr std::string_view word = "error";
  for (auto at = text.find_first_of("eE"); at != std::string_view::npos;
       at = text.find_first_of("eE", at + 1)) {
    if (text.size() - at < word.size()) return false;
    const auto same = [](char a, char b) { return (static_cast<unsigned char>(a) | 0x20U) == b; };
    if (std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                   [&same](char b, char a) { return same(a, b); })) {
      return true;
    }
  }
  return false;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json(out, text);
  return out;
}

/// Printable ASCII without blanks; a syslog header's nil value when nothing is left.
std::string header_word(std::string_view text, std::size_t limit, std::string_view not_these = {}) {
  std::string out;
  for (const char c : text.substr(0, limit)) {
    const bool good = c > 0x20 && c < 0x7F && not_these.find(c) == std::string_view::npos;
    out += good ? c : '_';
  }
  return out.empty() ? "-" : out;
}

/// The program of syslog messages: the service, as Sidecar knows it.
std::string_view program(const RecordFields& fields) {
  for (const auto& [name, value] : fields.labels) {
    if (name == "ServiceName" && !value.empty()) return value;
  }
  return "sidecar-executor";
}

std::string structured_value(std::string_view text) {
  std::string clean;
  append_utf8(clean, text);
  std::string out;
  for (const char c : clean) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Record::Record(const RecordFields& fields) : format_(fields.format) {
  make_shapes(fields);
  if (fixed_size(part_) <= largest - least_room) return;
  RecordFields without = fields;
  without.labels.clear();
  without.host = without.host.substr(0, 255);
  labels_left_out_ = true;
  make_shapes(without);
}

void Record::make_shapes(const RecordFields& fields) {
  whole_ = shape(fields, false);
  part_ = shape(fields, true);
  whole_room_ = largest - std::min(largest, fixed_size(whole_));
  part_room_ = largest - std::min(largest, fixed_size(part_));
}

Record::Shape Record::shape(const RecordFields& fields, bool with_part) const {
  switch (format_) {
    case SyslogFormat::rfc5424:
      return rfc5424_shape(fields, with_part);
    case SyslogFormat::rfc3164:
      return rfc3164_shape(fields, with_part);
    case SyslogFormat::json:
      break;
  }
  return json_shape(fields, with_part);
}

/// Keys sorted by bytes, as Go sorts a map. A label that is named like a field of logrus is
/// `fields.<name>` there; Hostname is the Go executor's own and wins.
Record::Shape Record::json_shape(const RecordFields& fields, bool with_part) {
  struct Member {
    std::string key;
    std::string value;  // as JSON, when it is fixed
    Variable variable = Variable::end;
  };
  std::vector<Member> members{{"Hostname", "\"" + json_string(fields.host) + "\""},
                              {"Level", "", Variable::level},
                              {"Payload", "", Variable::payload},
                              {"Timestamp", "", Variable::stamp}};
  if (with_part) members.push_back({"Part", "", Variable::part});
  for (const auto& label : fields.labels) {
    const auto& [name, value] = label;
    if (name == "Hostname") continue;
    const bool taken = std::any_of(members.begin(), members.end(), [&label](const Member& m) {
      return m.key == label.first && m.variable != Variable::end;
    });
    const std::string key = taken ? "fields." + name : name;
    const auto same = [&key](const Member& m) { return m.key == key; };
    if (std::any_of(members.begin(), members.end(), same)) continue;
    members.push_back({key, "\"" + json_string(value) + "\""});
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.key < b.key; });
  Shape out;
  std::string literal = "{";
  for (const Member& member : members) {
    if (literal.back() != '{') literal += ',';
    literal += "\"" + json_string(member.key) + "\":";
    if (member.variable == Variable::end) {
      literal += member.value;
    } else {
      out.push_back({literal + "\"", member.variable});
      literal = "\"";
    }
  }
  out.push_back({literal + "}\n", Variable::end});
  return out;
}

/// `<14>1 STAMP HOST PROGRAM CONTAINER - [labels@32473 name="value"] LINE`. 32473 is the number
/// that RFC 5612 keeps for documentation: the project has none of its own.
Record::Shape Record::rfc5424_shape(const RecordFields& fields, bool with_part) {
  const std::string head = " " + header_word(fields.host, 255) + " " +
                           header_word(program(fields), 48) + " " +
                           header_word(fields.container, 128) + " - ";
  std::string labels;
  for (const auto& [name, value] : fields.labels) {
    labels += " " + header_word(name, 32, "=]\"") + "=\"" + structured_value(value) + "\"";
  }
  Shape out{{"<", Variable::level}, {">1 ", Variable::stamp}};
  const std::string begin = "[labels@32473" + labels;
  if (with_part) {
    out.push_back({head + begin + " Part=\"", Variable::part});
    out.push_back({"\"] ", Variable::payload});
  } else {
    out.push_back({head + (labels.empty() ? "- " : begin + "] "), Variable::payload});
  }
  out.push_back({"", Variable::end});
  return out;
}

/// `<14>Jan  2 15:04:05 HOST PROGRAM[CONTAINER]: LINE`. There is no place for labels.
Record::Shape Record::rfc3164_shape(const RecordFields& fields, bool with_part) {
  const std::string head = " " + header_word(fields.host, 255) + " " +
                           header_word(program(fields), 32, "[]:") + "[" +
                           header_word(fields.container, 64) + "]: ";
  Shape out{{"<", Variable::level}, {">", Variable::stamp}};
  if (with_part) {
    out.push_back({head + "[part ", Variable::part});
    out.push_back({"] ", Variable::payload});
  } else {
    out.push_back({head, Variable::payload});
  }
  out.push_back({"", Variable::end});
  return out;
}

std::size_t Record::fixed_size(const Shape& shape) {
  std::size_t size = level_size + stamp_size + part_size;
  for (const Segment& segment : shape) size += segment.literal.size();
  return size;
}

std::size_t Record::begin(const Line& line) {
  text_ = line.text;
  error_ = line.stream == Stream::err && says_error(text_);
  set_stamp(line.stamp);
  parts_ = text_.size() <= whole_room_ / most_growth ? 1 : count_parts();
  next_part_ = 1;
  return parts_;
}

void Record::set_stamp(std::string_view stamp) {
  if (stamp == stamp_key_) return;
  const bool same_second = second_of(stamp) == second_of(stamp_key_);
  stamp_key_.assign(stamp);
  if (same_second && format_ != SyslogFormat::rfc5424) return;
  stamp_.clear();
  switch (format_) {
    case SyslogFormat::json:
      append_whole_seconds(stamp_, stamp);
      break;
    case SyslogFormat::rfc5424:
      append_microseconds(stamp_, stamp);
      break;
    case SyslogFormat::rfc3164:
      append_bsd(stamp_, stamp);
      break;
  }
}

std::size_t Record::count_parts() const {
  const auto fit = format_ == SyslogFormat::json ? fit_json : fit_utf8;
  if (fit(text_, whole_room_).taken == text_.size()) return 1;
  std::size_t parts = 0;
  for (std::string_view rest = text_; !rest.empty(); ++parts) {
    rest.remove_prefix(fit(rest, part_room_).taken);
  }
  return parts;
}

bool Record::append(std::string& out) {
  if (next_part_ == 0 || next_part_ > parts_) return false;
  std::string_view payload = text_;
  if (parts_ > 1) {
    const auto fit = format_ == SyslogFormat::json ? fit_json : fit_utf8;
    payload = text_.substr(0, fit(text_, part_room_).taken);
    text_.remove_prefix(payload.size());
  }
  for (const Segment& segment : parts_ > 1 ? part_ : whole_) {
    out += segment.literal;
    append_variable(out, segment.then, payload);
  }
  ++next_part_;
  return true;
}

void Record::append_variable(std::string& out, Variable variable, std::string_view payload) {
  switch (variable) {
    case Variable::level:
      // Facility user (1); RFC 5424 table 2: 3 is error, 6 informational.
      out += format_ == SyslogFormat::json ? (error_ ? "error" : "info") : (error_ ? "11" : "14");
      return;
    case Variable::stamp:
      out += stamp_;
      return;
    case Variable::part:
      out += std::to_string(next_part_) + "/" + std::to_string(parts_);
      return;
    case Variable::payload:
      format_ == SyslogFormat::json ? append_json(out, payload) : append_utf8(out, payload);
      return;
    case Variable::end:
      return;
  }
}

}  // namespace sidecar_executor::relay
