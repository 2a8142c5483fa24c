#pragma once

namespace sidecar_executor::docker {

/// API 1.45, the newest that we speak.
constexpr int newest_api_minor = 45;

}  // namespace sidecar_executor::docker
