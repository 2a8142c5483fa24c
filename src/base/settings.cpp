#include "base/settings.hpp"

#include <algorithm>
#include <optional>

#include "base/redact.hpp"
#include "base/settings_table.hpp"
#include "base/text.hpp"

namespace sidecar_executor {
namespace {

constexpr std::string_view prefix = "EXECUTOR_";

/// `EXECUTOR_X="abc" is not ...`, fit for a log and a status message. No setting is a secret,
/// whatever its name says (PassVaultCredentials); a URL may hold one.
std::string not_the_form(std::string_view variable, std::string_view value, std::string_view form) {
  return std::string(variable) + "=\"" + one_line(redact_value("", value), 200) + "\" is not " +
         std::string(form);
}

bool is_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1))) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) return false;
  // Go takes ":514" for this host.
  return host.find_first_of(" \t\r\n/[]@") == std::string_view::npos;
}

/// The name that the value came by.
std::string variable_used(const SettingReport& entry) {
  const bool bare = entry.source == SettingSource::bare_variable;
  return bare ? entry.variable.substr(prefix.size()) : entry.variable;
}

/// Reads the table, then what concerns two settings at once.
class Loading {
 public:
  explicit Loading(const Lookup& lookup) : lookup_(lookup) {}

  void read(const SettingRow& row);
  void check_syslog_address();
  void check_aws_ttl();
  void name_unknown(const std::vector<std::string>& names);
  LoadedSettings finish(std::string_view host_name);

 private:
  SettingReport& report(std::string_view name);
  void refuse(SettingReport& entry, const std::string& text);
  void take(const SettingRow& row, SettingReport& entry, const std::string& value,
            SettingSource source);

  const Lookup& lookup_;
  LoadedSettings out_;
};

void Loading::read(const SettingRow& row) {
  SettingReport& entry = out_.report.emplace_back();
  entry.name = row.name;
  entry.variable = setting_variable(row.name);
  // Set but empty is the default, and hides the bare name as a value would.
  if (const auto value = lookup_(entry.variable)) {
    if (!value->empty()) take(row, entry, *value, SettingSource::executor_variable);
  } else if (row.inherited) {
    const auto bare = lookup_(entry.variable.substr(prefix.size()));
    if (bare && !bare->empty()) take(row, entry, *bare, SettingSource::bare_variable);
  }
}

void Loading::take(const SettingRow& row, SettingReport& entry, const std::string& value,
                   SettingSource source) {
  entry.source = source;
  if (row.parse(value, out_.settings)) return;
  refuse(entry, not_the_form(variable_used(entry), value, row.form));
}

/// The default stays. A bare name may be the task's own (`DEBUG=app:*`): that must not fail it.
void Loading::refuse(SettingReport& entry, const std::string& text) {
  if (entry.source == SettingSource::bare_variable) {
    out_.warnings.push_back(text + ", ignoring it (" + entry.variable + " is not set)");
  } else {
    out_.problems.push_back(text);
  }
  entry.source = SettingSource::built_in;
}

SettingReport& Loading::report(std::string_view name) {
  return *std::find_if(out_.report.begin(), out_.report.end(),
                       [name](const SettingReport& entry) { return entry.name == name; });
}

void Loading::check_syslog_address() {
  SettingReport& entry = report("SyslogAddr");
  const bool path = out_.settings.syslog_protocol == SyslogProtocol::unix_socket;
  std::string& address = out_.settings.syslog_addr;
  const bool good = path ? address.starts_with('/') : is_host_port(address);
  if (entry.source != SettingSource::built_in && !good) {
    refuse(entry, not_the_form(variable_used(entry), address,
                               path ? "a path such as /dev/log, which protocol unix needs"
                                    : "host:port, such as 127.0.0.1:514 or [::1]:514"));
    address = Settings{}.syslog_addr;
  }
  if (path && entry.source == SettingSource::built_in) address = "/dev/log";
}

void Loading::check_aws_ttl() {
  Settings& settings = out_.settings;
  if (settings.aws_role_ttl <= settings.aws_role_max_ttl) return;
  SettingReport& entry = report("AWSRoleTTL");
  const SettingReport& most = report("AWSRoleMaxTTL");
  const auto row = [](const SettingReport& of) {
    const auto table = setting_table();
    return std::find_if(table.begin(), table.end(),
                        [&of](const SettingRow& r) { return r.name == of.name; });
  };
  refuse(entry, variable_used(entry) + "=" + row(entry)->print(settings) + " is longer than " +
                    variable_used(most) + "=" + row(most)->print(settings));
  settings.aws_role_ttl = Settings{}.aws_role_ttl;
}

void Loading::name_unknown(const std::vector<std::string>& names) {
  std::vector<std::string> unknown;
  for (const auto& name : names) {
    const bool known = std::any_of(out_.report.begin(), out_.report.end(),
                                   [&name](const SettingReport& r) { return r.variable == name; });
    if (name.starts_with(prefix) && !known) unknown.push_back(one_line(name, 100));
  }
  if (unknown.empty()) return;
  std::sort(unknown.begin(), unknown.end());
  std::string text = "Unknown settings, ignoring:";
  for (const auto& name : unknown) text += " " + name;
  out_.warnings.push_back(one_line(text, 2000));
}

LoadedSettings Loading::finish(std::string_view host_name) {
  if (out_.settings.log_hostname.empty()) out_.settings.log_hostname = host_name;
  const auto table = setting_table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    SettingReport& entry = out_.report[i];
    entry.value = redact_value("", table[i].print(out_.settings));
  }
  return std::move(out_);
}

// ---- Go's numbers ------------------------------------------------------------------------------

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return 99;
}

/// Base by prefix, as strconv does with base 0; the prefix is taken off. `digits` is not empty.
int take_base(std::string_view& digits) {
  if (digits.front() != '0') return 10;
  const char mark = digits.size() >= 3 ? to_lower(digits.substr(1, 1)).front() : '\0';
  const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
  digits.remove_prefix(base != 0 ? 2 : 1);
  return base != 0 ? base : 8;
}

/// `digits` is what follows the sign. Underscores stand between digits, or behind the prefix.
std::optional<std::uint64_t> parse_magnitude(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  const std::size_t before = digits.size();
  const int base = take_base(digits);
  bool digit_before = digits.size() != before;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c == '_') {
      if (!digit_before) return std::nullopt;
      digit_before = false;
      continue;
    }
    const int digit = digit_value(c);
    if (digit >= base) return std::nullopt;
    if (__builtin_mul_overflow(value, static_cast<std::uint64_t>(base), &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(digit), &value)) {
      return std::nullopt;
    }
    digit_before = true;
  }
  if (!digit_before) return std::nullopt;
  return value;
}

}  // namespace

LoadedSettings load_settings(const Lookup& lookup, const std::vector<std::string>& names,
                             std::string_view host_name) {
  Loading loading(lookup);
  for (const SettingRow& row : setting_table()) loading.read(row);
  loading.check_syslog_address();
  loading.check_aws_ttl();
  loading.name_unknown(names);
  return loading.finish(host_name);
}

Result<bool> parse_go_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return Error{ErrorKind::invalid, "\"" + one_line(text, 100) + "\" is not true or false"};
}

Result<std::int64_t> parse_go_int(std::string_view text) {
  const bool signed_text = text.starts_with('-') || text.starts_with('+');
  const bool negative = text.starts_with('-');
  const auto value = parse_magnitude(signed_text ? text.substr(1) : text);
  constexpr std::uint64_t limit = std::uint64_t{1} << 63;
  if (!value || *value > limit || (*value == limit && !negative)) {
    return Error{ErrorKind::invalid, "\"" + one_line(text, 100) + "\" is not a whole number"};
  }
  return static_cast<std::int64_t>(negative ? ~*value + 1 : *value);
}

}  // namespace sidecar_executor
