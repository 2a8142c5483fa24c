#include "docker/engine_answers.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <utility>

#include "base/pretty_json.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace json = boost::json;
using net::HttpResponse;

namespace {

/// dockerd still takes calls while it is being stopped, and fails them once what is below it has
/// gone: containerd (gRPC's word for that is `unavailable`), or the store of its networks.
bool is_going_down(std::string_view message) {
  return message.ends_with(": unavailable") ||
         message.find("failed to update store for object type *libnetwork.") != message.npos;
}

/// Of Names: its own, `/mesos-...`; the others, of links, have one slash more.
std::string name_of(const json::object& container) {
  for (const auto& name : strings_at(container, "Names")) {
    if (name.starts_with('/') && name.find('/', 1) == std::string::npos) return name.substr(1);
  }
  return {};
}

/// Seconds since 1970; here too, a daemon may send anything.
std::chrono::system_clock::time_point created_at(const json::object& container) {
  const auto* seconds = container.if_contains("Created");
  constexpr std::int64_t longest = 1LL << 33;
  const bool usable = seconds != nullptr && seconds->is_int64() && seconds->as_int64() >= 0 &&
                      seconds->as_int64() < longest;
  return std::chrono::system_clock::time_point(
      std::chrono::seconds(usable ? seconds->as_int64() : 0));
}

}  // namespace

std::string error_message(const HttpResponse& response) {
  boost::system::error_code ec;
  const auto value = json::parse(response.body, ec);
  if (!ec && value.is_object()) {
    const std::string message = text_at(value.as_object(), "message");
    if (!message.empty()) return one_line(message, 1000);
  }
  const std::string text = one_line(response.body, 300);
  return "HTTP " + std::to_string(response.status) + (text.empty() ? "" : " " + text);
}

bool is_about_the_version(const Error& error) {
  return error.http_status == 400 &&
         (error.message.find("Minimum supported API version") != std::string::npos ||
          error.message.find("Maximum supported API version") != std::string::npos);
}

Error refusal_of(const HttpResponse& response) {
  Error error{kind_of_http_status(response.status), error_message(response), response.status};
  if (response.status >= 500 && is_going_down(error.message)) error.kind = ErrorKind::unreachable;
  return error;
}

int minor_of(std::string_view version) {
  if (!version.starts_with("1.")) return 0;
  int minor = 0;
  const auto digits = version.substr(2);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  return ec == std::errc{} && end == digits.data() + digits.size() ? minor : 0;
}

Result<json::object> object_of(const std::string& body, std::string_view what) {
  boost::system::error_code ec;
  auto value = json::parse(body, ec);
  if (ec || !value.is_object()) {
    return Error{ErrorKind::protocol, "Docker's answer to " + std::string(what) +
                                          " is no JSON object: " + one_line(body, 120)};
  }
  return std::move(value.as_object());
}

std::vector<std::string> strings_at(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_array()) return out;
  for (const auto& element : value->as_array()) {
    if (element.is_string()) out.emplace_back(element.as_string());
  }
  return out;
}

std::optional<StopResult> stop_result_of(const HttpResponse& response) {
  switch (response.status) {
    case 204:
      return StopResult::done;
    case 304:
      return StopResult::already_ended;
    case 404:
      return StopResult::gone;
    case 409:  // kill: not running; or: paused, being removed
    case 500:  // Podman 4.3, for what Docker calls a conflict
      break;
    default:
      return std::nullopt;
  }
  // moby words it "Container <id> is not running"; Podman "can only kill running containers. <id>
  // is in state exited: ...".
  const std::string text = to_lower(error_message(response));
  const bool ended = text.find("not running") != std::string::npos ||
                     text.find("can only kill running") != std::string::npos;
  return ended ? std::optional(StopResult::already_ended) : std::nullopt;
}

ContainerSummary summary_of(const json::object& row) {
  ContainerSummary summary{text_at(row, "Id"),    name_of(row),    text_at(row, "Image"),
                           text_at(row, "State"), created_at(row), {}};
  const auto* labels = row.if_contains("Labels");
  if (labels == nullptr || !labels->is_object()) return summary;
  for (const auto& label : labels->as_object()) {
    if (label.value().is_string())
      summary.labels.emplace_back(label.key(), label.value().as_string());
  }
  return summary;
}

}  // namespace sidecar_executor::docker
