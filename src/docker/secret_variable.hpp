#pragma once
// Environment variables of type SECRET (mesos.proto, Environment.Variable and Secret).

#include <string>

#include "base/error.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// A value secret decoded, or for a reference the `vault://` text that the launch resolves: name is
/// a Vault path (`secret/app` or `vault://secret/app`), key the key in it.
/// Errors (invalid) say what is wrong without showing the value.
Result<std::string> secret_value(const mesos::EnvironmentVariable& variable);

}  // namespace sidecar_executor::docker
