#include "base/settings.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "base/settings_table.hpp"

namespace sidecar_executor {
namespace {

using Variables = std::map<std::string, std::string>;

LoadedSettings load(const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables) names.push_back(name);
  const Lookup lookup = [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return load_settings(lookup, names, "the-host");
}

const SettingReport& report(const LoadedSettings& loaded, std::string_view name) {
  for (const auto& entry : loaded.report) {
    if (entry.name == name) return entry;
  }
  ADD_FAILURE() << name << " is not reported";
  return loaded.report.front();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Settings, VariableNames) {
  EXPECT_EQ(setting_variable("SidecarRetryDelay"), "EXECUTOR_SIDECAR_RETRY_DELAY");
  EXPECT_EQ(setting_variable("AWSRole"), "EXECUTOR_AWS_ROLE");
  EXPECT_EQ(setting_variable("AWSRoleMaxTTL"), "EXECUTOR_AWS_ROLE_MAX_TTL");
  EXPECT_EQ(setting_variable("Debug"), "EXECUTOR_DEBUG");
  EXPECT_EQ(setting_variable("ForceCpuLimit"), "EXECUTOR_FORCE_CPU_LIMIT");
}

TEST(Settings, TableDefaultsAreThoseOfTheStruct) {
  const Settings built_in;
  for (const SettingRow& row : setting_table()) {
    if (row.initial.empty()) continue;
    Settings parsed;
    EXPECT_TRUE(row.parse(row.initial, parsed)) << row.name;
    EXPECT_EQ(row.print(parsed), row.print(built_in)) << row.name;
  }
}

TEST(Settings, NothingSet) {
  const auto loaded = load({{"PATH", "/bin"}});
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_TRUE(loaded.warnings.empty());
  EXPECT_EQ(loaded.settings.log_hostname, "the-host");
  EXPECT_EQ(report(loaded, "LogHostname").value, "the-host");
  EXPECT_EQ(report(loaded, "LogsSince").value, "3m0s");
  EXPECT_EQ(report(loaded, "AWSRoleMaxTTL").value, "744h0m0s");
  EXPECT_EQ(report(loaded, "SendDockerLabels").value, "[]");
  for (const auto& entry : loaded.report) EXPECT_EQ(entry.source, SettingSource::built_in);
}

TEST(Settings, GoodValues) {
  struct Case {
    std::string name, value, shown;
  };
  const Case cases[] = {
      {"KillTaskTimeout", "0x1f", "31"},
      {"HttpTimeout", "300ms", "300ms"},
      {"HttpTimeout", "0", "876000h0m0s"},
      {"LogsSince", "2000000h", "876000h0m0s"},
      {"SidecarRetryCount", "017", "15"},
      {"SidecarMaxFails", "0x10", "16"},
      {"SidecarBackoff", "1s500ms", "1.5s"},
      {"SidecarDrainingDuration", "0", "0s"},
      {"Debug", "T", "true"},
      {"AWSRoleRenew", "f", "false"},
      {"MesosMasterPort", "65535", "65535"},
      {"SidecarUrl", "https://[::1]:7777/state.json", "https://[::1]:7777/state.json"},
      {"SidecarUrl", "http://u:geheim@h/s", "http://u:***@h/s"},
      {"SyslogAddr", "[::1]:514", "[::1]:514"},
      {"SyslogAddr", "logs.example:10514", "logs.example:10514"},
      {"SyslogFormat", "rfc5424", "rfc5424"},
      {"SyslogFormat", "rfc3164", "rfc3164"},
      {"SyslogProtocol", "tcp", "tcp"},
      {"SendDockerLabels", " A, B ,,C", "[ A  B   C]"},
      {"SendDockerLabels", "  ", "[]"},
      {"AWSRoleTTL", "1m40s", "1m40s"},
  };
  for (const auto& [name, value, shown] : cases) {
    const auto loaded = load({{setting_variable(name), value}});
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.front();
    EXPECT_EQ(report(loaded, name).value, shown);
    EXPECT_EQ(report(loaded, name).source, SettingSource::executor_variable);
  }
}

TEST(Settings, BadValuesAreNamedWithTheirForm) {
  struct Case {
    std::string name, value, form;
  };
  const Case cases[] = {
      {"KillTaskTimeout", "5s", "a number of whole seconds such as 5 (without a unit"},
      {"KillTaskTimeout", "-1", "whole seconds"},
      {"SidecarBackoff", "abc", "a duration such as 300ms"},
      {"SidecarBackoff", "5", "a duration such as 300ms"},
      {"SidecarRetryCount", "-1", "0 or more"},
      {"SidecarMaxFails", "three", "a whole number"},
      {"Debug", "yes", "true or false"},
      {"Debug", " true", "true or false"},
      {"MesosMasterPort", "0", "a port from 1 to 65535"},
      {"MesosMasterPort", "65536", "a port from 1 to 65535"},
      {"SidecarUrl", "localhost:7777", "an http or https URL"},
      {"SidecarUrl", "ftp://h/x", "an http or https URL"},
      {"SidecarUrl", "http:///state.json", "an http or https URL"},
      {"SidecarUrl", "http://h:99999/x", "an http or https URL"},
      {"SidecarUrl", "http://localhost:7777state.json", "an http or https URL"},
      {"SidecarUrl", "http://localhost:77x7/state.json", "an http or https URL"},
      {"SidecarUrl", "http://a%20b:7777/", "an http or https URL"},
      {"SyslogAddr", "localhost", "host:port"},
      {"SyslogAddr", "::1:514", "host:port"},
      {"SyslogAddr", "h:0", "host:port"},
      {"SyslogAddr", "/dev/log", "host:port"},
      {"SyslogAddr", "h:80x", "host:port"},
      {"SyslogAddr", "[::1:514", "host:port"},
      {"SyslogAddr", "::1]:514", "host:port"},
      {"SyslogAddr", "[]:514", "host:port"},
      {"SyslogFormat", "JSON", "json, rfc5424 or rfc3164"},
      {"SyslogProtocol", "unixgram", "udp, tcp or unix"},
  };
  for (const auto& [name, value, form] : cases) {
    const std::string variable = setting_variable(name);
    const auto loaded = load({{variable, value}});
    ASSERT_EQ(loaded.problems.size(), 1U) << name << " " << value;
    const std::string& text = loaded.problems.front();
    EXPECT_TRUE(text.starts_with(fmt::format("{}=\"{}\" is not ", variable, value))) << text;
    EXPECT_NE(text.find(form), std::string::npos) << text;
    EXPECT_EQ(report(loaded, name).value, report(load({}), name).value);
    EXPECT_EQ(report(loaded, name).source, SettingSource::built_in);
  }
}

/// Each row of a form of its own code: none of them takes what is not of it, and a good value goes
/// where the row prints it from.
TEST(Settings, EveryRowChecksItsForm) {
  const Settings built_in;
  for (const SettingRow& row : setting_table()) {
    const bool is_flag = row.form.starts_with("true or false");
    const bool is_number =
        row.form.find("number") != std::string_view::npos || row.form.starts_with("a port");
    const bool is_duration = row.form.starts_with("a duration");
    if (!is_flag && !is_number && !is_duration) continue;
    for (const char* bad : {"x", "-", "99999999999999999999"}) {
      Settings into;
      EXPECT_FALSE(row.parse(bad, into)) << row.name << " " << bad;
      EXPECT_EQ(row.print(into), row.print(built_in)) << row.name;
    }
    Settings into;
    const std::string good =
        is_flag ? (row.print(built_in) == "true" ? "false" : "true") : (is_duration ? "7s" : "7");
    EXPECT_TRUE(row.parse(good, into)) << row.name;
    EXPECT_NE(row.print(into), row.print(built_in)) << row.name;
    if (is_number) EXPECT_FALSE(row.parse("-1", into)) << row.name;
  }
}

TEST(Settings, ProblemsKeepSecrets) {
  const auto loaded = load({{"EXECUTOR_SIDECAR_URL", "ftp://u:geheim@h/x"}});
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems.front().find("geheim"), std::string::npos);
}

/// Settings hold no secrets: a name with a secret's word in it (CREDENTIALS) hides nothing.
TEST(Settings, NamesDoNotHideValues) {
  EXPECT_EQ(report(load({}), "PassVaultCredentials").value, "false");
  EXPECT_EQ(report(load({{"EXECUTOR_PASS_VAULT_CREDENTIALS", "1"}}), "PassVaultCredentials").value,
            "true");
  const auto bad = load({{"EXECUTOR_PASS_VAULT_CREDENTIALS", "yes"}});
  ASSERT_EQ(bad.problems.size(), 1U);
  EXPECT_TRUE(bad.problems[0].starts_with("EXECUTOR_PASS_VAULT_CREDENTIALS=\"yes\" is not "))
      << bad.problems[0];
}

TEST(Settings, EmptyMeansDefaultAndHidesTheBareName) {
  const auto loaded = load({{"EXECUTOR_SIDECAR_BACKOFF", ""}, {"SIDECAR_BACKOFF", "7s"}});
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.settings.sidecar_backoff, std::chrono::minutes(1));
}

TEST(Settings, BareNames) {
  const auto good = load({{"LOG_HOSTNAME", "web1"}, {"AWS_ROLE", "reader"}});
  EXPECT_EQ(good.settings.log_hostname, "web1");
  EXPECT_EQ(good.settings.aws_role, "reader");
  EXPECT_EQ(report(good, "LogHostname").source, SettingSource::bare_variable);

  const auto both = load({{"EXECUTOR_DEBUG", "0"}, {"DEBUG", "1"}});
  EXPECT_FALSE(both.settings.debug);

  const auto bad = load({{"DEBUG", "app:*"}, {"SYSLOG_ADDR", "nowhere"}, {"AWS_ROLE_TTL", "800h"}});
  EXPECT_TRUE(bad.problems.empty());
  ASSERT_EQ(bad.warnings.size(), 3U);
  EXPECT_TRUE(bad.warnings[0].starts_with("DEBUG=\"app:*\" is not true or false"));
  EXPECT_TRUE(bad.warnings[1].starts_with("SYSLOG_ADDR=\"nowhere\" is not host:port"));
  EXPECT_TRUE(bad.warnings[2].starts_with("AWS_ROLE_TTL=800h0m0s is longer than"));
  EXPECT_EQ(bad.settings.syslog_addr, "127.0.0.1:514");
  EXPECT_EQ(bad.settings.aws_role_ttl.count(), 0);

  // Settings that the Go executor did not have take no bare name.
  EXPECT_FALSE(load({{"REMOVE_CONTAINER", "true"}}).settings.remove_container);
}

TEST(Settings, UnknownOnesAreListedInOneLine) {
  const auto loaded = load({{"EXECUTOR_SIDECAR_DISCOVER", "x"}, {"EXECUTOR_A", "y"}});
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(loaded.warnings,
            (std::vector<std::string>{
                "Unknown settings, ignoring: EXECUTOR_A EXECUTOR_SIDECAR_DISCOVER"}));
}

TEST(Settings, RoleTtlLongerThanItsMaximum) {
  const auto loaded = load({{"EXECUTOR_AWS_ROLE_TTL", "745h"}});
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(loaded.problems.front(),
            "EXECUTOR_AWS_ROLE_TTL=745h0m0s is longer than EXECUTOR_AWS_ROLE_MAX_TTL=744h0m0s");
  EXPECT_TRUE(load({{"EXECUTOR_AWS_ROLE_TTL", "745h"}, {"EXECUTOR_AWS_ROLE_MAX_TTL", "800h"}})
                  .problems.empty());
}

TEST(Settings, LocalSyslogWantsAPath) {
  const auto plain = load({{"EXECUTOR_SYSLOG_PROTOCOL", "unix"}});
  EXPECT_TRUE(plain.problems.empty());
  EXPECT_EQ(plain.settings.syslog_addr, "/dev/log");
  const auto path =
      load({{"EXECUTOR_SYSLOG_PROTOCOL", "unix"}, {"EXECUTOR_SYSLOG_ADDR", "/run/l"}});
  EXPECT_TRUE(path.problems.empty());
  EXPECT_EQ(path.settings.syslog_addr, "/run/l");
  const auto port = load({{"EXECUTOR_SYSLOG_PROTOCOL", "unix"}, {"EXECUTOR_SYSLOG_ADDR", "h:1"}});
  EXPECT_EQ(port.problems.size(), 1U);
}

TEST(Settings, GoNumbers) {
  const std::pair<std::string_view, std::int64_t> good[] = {
      {"0", 0},
      {"00", 0},
      {"017", 15},
      {"0o17", 15},
      {"0b11", 3},
      {"0x1F", 31},
      {"-5", -5},
      {"+5", 5},
      {"1_000", 1000},
      {"0x_1f", 31},
      {"0_7", 7},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
  };
  for (const auto& [text, value] : good) {
    const auto parsed = parse_go_int(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, value) << text;
  }
  for (const std::string_view text : {"",
                                      "-",
                                      "08",
                                      "0x",
                                      "0b2",
                                      "1__0",
                                      "_1",
                                      "1_",
                                      "1.0",
                                      "5s",
                                      " 5",
                                      "0x_",
                                      "--5",
                                      "0_",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "18446744073709551616",
                                      "0x{",
                                      "0x[",
                                      "0x1g",
                                      "0xG"}) {
    EXPECT_FALSE(parse_go_int(text)) << text;
  }
}

/// What the Go executor did with these: it started, or it refused them.
TEST(Settings, AsTheGoExecutorTookThem) {
  const std::pair<std::string, bool> scenarios[] = {
      {"conf_bool_T", true},     {"conf_dur_abc", false}, {"conf_dur_combo", true},
      {"conf_env_equals", true}, {"conf_int_hex", true},  {"conf_labels_spaces", true},
      {"conf_uint_dur", false},
  };
  for (const auto& [name, accepted] : scenarios) {
    const auto golden = boost::json::parse(
        read_file(std::string(SX_SOURCE_DIR "/tests/golden/go-executor/") + name + ".json"));
    Variables variables;
    for (const auto& entry : golden.at("env").as_object()) {
      std::string value(entry.value().as_string());
      // Ports are hidden in the record.
      for (std::size_t at; (at = value.find('<')) != std::string::npos;) {
        value.replace(at, value.find('>') - at + 1, "1234");
      }
      variables.emplace(std::string(entry.key()), value);
    }
    const auto loaded = load(variables);
    EXPECT_EQ(loaded.problems.empty(), accepted) << name;
    if (!accepted) continue;
    // Each ` * Name:   value` line of its log is a line of our report.
    for (const auto& line : golden.at("settings").as_array()) {
      const std::string text(line.as_string());
      const auto begin = text.find("msg=\" * ");
      const auto colon = text.find(": ", begin);
      if (begin == std::string::npos || colon == std::string::npos || text[colon - 1] == ' ')
        continue;
      const std::string setting = text.substr(begin + 8, colon - begin - 8);
      if (setting.find('_') != std::string::npos || setting == "LogHostname") continue;
      std::string value = text.substr(text.find_first_not_of(' ', colon + 1));
      value.pop_back();
      if (setting == "AWSRole" || value.find('<') != std::string::npos) continue;
      if (setting == "SendDockerLabels") value = text.substr(text.find('[')), value.pop_back();
      EXPECT_EQ(report(loaded, setting).value, value) << name << ": " << text;
    }
  }
}

TEST(Settings, DocumentationIsUpToDate) {
  EXPECT_EQ(read_file(std::string(SX_SOURCE_DIR) + "/docs/configuration.md"), settings_markdown())
      << "Run: sidecar-executor docs configuration > docs/configuration.md";
}

}  // namespace
}  // namespace sidecar_executor
