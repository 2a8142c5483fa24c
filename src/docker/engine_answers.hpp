#pragma once
// What Docker's and Podman's answers say. For engine*.cpp; documents of a container are read by
// docker/inspect.hpp.

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "docker/engine.hpp"

namespace sidecar_executor::docker {

/// `message` of Docker's error body, else the body's first line.
std::string error_message(const net::HttpResponse& response);

/// The error of an answer that says no; of a daemon that is being stopped: unreachable.
Error refusal_of(const net::HttpResponse& response);

/// dockerd was replaced by another version, and this container lived on (live-restore): "client
/// version 1.43 is too old. Minimum supported API version is 1.44, ...", after an upgrade; "... is
/// too new. Maximum supported API version is 1.43", after the way back.
bool is_about_the_version(const Error& error);

/// Of stop and kill; what is no outcome is nullopt: a refusal.
std::optional<StopResult> stop_result_of(const net::HttpResponse& response);

/// `1.41` → 41; 0 when it is no version.
int minor_of(std::string_view version);

/// Errors (protocol): the body is no JSON object; names `what` and how the body begins.
Result<boost::json::object> object_of(const std::string& body, std::string_view what);

/// The strings of an array; empty when it is none.
std::vector<std::string> strings_at(const boost::json::object& object, std::string_view key);

/// Of a row of GET /containers/json.
ContainerSummary summary_of(const boost::json::object& row);

}  // namespace sidecar_executor::docker
