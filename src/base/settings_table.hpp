#pragma once
// The one table of settings. Private to settings.cpp and settings_doc.cpp.

#include <span>
#include <string>
#include <string_view>

#include "base/settings.hpp"

namespace sidecar_executor {

struct SettingRow {
  std::string_view name;     ///< `SidecarRetryDelay`
  std::string_view initial;  ///< the default, as one would write it; empty = no value
  std::string_view form;     ///< what a value has to be: `"abc" is not <form>`
  std::string_view meaning;  ///< for docs/configuration.md
  /// Puts a value into its place; false (and nothing changed) when it has not the form.
  bool (*parse)(std::string_view text, Settings& into);
  std::string (*print)(const Settings& from);  ///< as Go prints it
  /// The Go executor has it: its bare name counts too.
  bool inherited = true;
};

/// In the order of the log at start.
std::span<const SettingRow> setting_table();

/// `SidecarRetryDelay` → `EXECUTOR_SIDECAR_RETRY_DELAY`, `AWSRoleMaxTTL` →
/// `EXECUTOR_AWS_ROLE_MAX_TTL`.
std::string setting_variable(std::string_view name);

/// 1 to 65535, decimal.
bool is_port(std::string_view text);

}  // namespace sidecar_executor
