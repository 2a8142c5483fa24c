#pragma once
// Whom a check asks, and where an HTTP redirect leads.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "docker/inspect.hpp"

namespace sidecar_executor::task {

/// Addresses without brackets; empty = the container has none of that protocol.
struct CheckTarget {
  std::string container_id;
  std::string v4;
  std::string v6;
  bool known = true;  ///< false: Docker has not told yet where the container is
};

/// The container's first address of each protocol; the loopback of the host where it has the
/// host's network.
CheckTarget check_target(const docker::ContainerState& container);

/// What is asked for at the container.
struct HttpPlace {
  bool tls = false;
  std::uint16_t port = 0;
  std::string path;
};

/// Where `location` leads from there. `asked`: the address that was asked; it and the names of the
/// loopback mean the container, as they do to a client inside of it. nullopt: to another host, or
/// nowhere; the executor has no business there.
std::optional<HttpPlace> redirected(const HttpPlace& from, std::string_view location,
                                    std::string_view asked);

}  // namespace sidecar_executor::task
