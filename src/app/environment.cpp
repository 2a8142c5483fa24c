#include "app/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/redact.hpp"
#include "base/version.hpp"

namespace sidecar_executor::app {
namespace {

bool is_shown(std::string_view name) {
  // Credentials whose names do not all say so: not logged at all, not even as redacted.
  constexpr std::array never{"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD",
                             "DOCKER_AUTH_CONFIG"};
  if (std::find(never.begin(), never.end(), name) != never.end()) return false;
  constexpr std::array prefixes{"MESOS", "EXECUTOR", "VAULT", "DOCKER"};
  constexpr std::array whole{"HOME", "TASK_HOST", "TASK_ID"};
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [name](const char* p) { return name.starts_with(p); }) ||
         std::find(whole.begin(), whole.end(), name) != whole.end();
}

/// Its value is no secret, whatever its name says: EXECUTOR_PASS_VAULT_CREDENTIALS.
bool is_setting(std::string_view name, const LoadedSettings& loaded) {
  return std::any_of(loaded.report.begin(), loaded.report.end(),
                     [name](const SettingReport& entry) { return entry.variable == name; });
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

Lookup process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = ::secure_getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string host_name() {
  std::array<char, 256> buffer{};
  if (::gethostname(buffer.data(), buffer.size() - 1) != 0) return "localhost";
  return buffer.data();
}

void log_setup(Log& log, const LoadedSettings& loaded) {
  log.info("Starting Sidecar Executor", {{"version", SX_VERSION}});
  log.info("Executor Config -----------------------");
  for (const auto& setting : loaded.report) {
    std::string note;
    if (setting.source == SettingSource::built_in) note = " (default)";
    if (setting.source == SettingSource::bare_variable)
      note = " (from the bare name, not " + setting.variable + ")";
    log.info(" * " + padded(setting.name + ":", 25) + redact_value("", setting.value) + note);
  }
  log.info("Environment ---------------------------");
  const Lookup lookup = process_environment();
  for (const auto& name : environment_names()) {
    if (!is_shown(name)) continue;
    const std::string value = lookup(name).value_or("");
    log.info(" * " + padded(name, 30) + ": " +
             redact_value(is_setting(name, loaded) ? "" : name, value));
  }
  log.info("---------------------------------------");
  for (const auto& warning : loaded.warnings) log.warning(warning);
}

}  // namespace sidecar_executor::app
