#pragma once
// HostConfig.Ulimits, which the parameter ulimit and ContainerInfo.rlimit_info both fill.

#include <boost/json/array.hpp>
#include <cstdint>
#include <string_view>

namespace sidecar_executor::docker {

/// `nofile`, `core`, ...: what Docker knows.
bool is_ulimit_name(std::string_view name);

/// Replaces the limit of that name. -1 = unlimited.
void set_ulimit(boost::json::array& all, std::string_view name, std::int64_t soft,
                std::int64_t hard);

}  // namespace sidecar_executor::docker
