#include "docker/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/pretty_json.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

/// One object is one progress line, some hundred bytes.
constexpr std::size_t largest_object = 1024 * 1024;
/// Docker allows 127 layers; a stream that names more is no pull.
constexpr std::size_t most_layers = 1024;
constexpr std::size_t longest_id = 128;
constexpr std::size_t longest_error = 2000;
/// Sums of most_layers such numbers do not overflow.
constexpr std::uint64_t largest_size = std::uint64_t{1} << 50U;

std::uint64_t size_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr) return 0;
  std::uint64_t size = 0;
  if (value->is_uint64()) size = value->get_uint64();
  if (value->is_int64() && value->get_int64() > 0)
    size = static_cast<std::uint64_t>(value->get_int64());
  return std::min(size, largest_size);
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// What the status of a line with an id says about that layer (pkg/streamformatter,
/// distribution/pull_v2.go). Other ids are not layers: the first line's is the tag.
enum class LayerStep { none, known, downloading, downloaded, done };
LayerStep layer_step(std::string_view status) {
  if (status == "Downloading") return LayerStep::downloading;
  if (status == "Download complete" || status == "Extracting" || status == "Verifying Checksum")
    return LayerStep::downloaded;
  if (status == "Pull complete" || status == "Already exists") return LayerStep::done;
  if (status == "Pulling fs layer" || status == "Waiting" || status.starts_with("Retrying in "))
    return LayerStep::known;
  return LayerStep::none;
}

/// errorDetail has the code that the registry gave, error only the text.
ErrorKind kind_of(const json::object& object) {
  const auto* detail = object.if_contains("errorDetail");
  const auto* details = detail != nullptr ? detail->if_object() : nullptr;
  if (details == nullptr) return ErrorKind::unavailable;
  const auto code = size_at(*details, "code");
  return code >= 400 && code < 600 ? kind_of_http_status(static_cast<int>(code))
                                   : ErrorKind::unavailable;
}

}  // namespace

Result<void> PullProgress::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (depth_ == 0) {
      if (is_space(c)) continue;
      if (c != '{') return Error{ErrorKind::protocol, "Docker's pull progress is not JSON objects"};
      depth_ = 1;
      pending_ = '{';
      continue;
    }
    pending_ += c;
    if (pending_.size() > largest_object)
      return Error{ErrorKind::too_large, "an object of Docker's pull progress is over 1 MiB"};
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (c == '"') in_string_ = true;
    if (c == '{' || c == '[') ++depth_;
    if ((c == '}' || c == ']') && --depth_ == 0) {
      auto taken = object(pending_);
      pending_.clear();
      if (!taken) return taken;
    }
  }
  return boost::system::in_place_value;
}

Result<void> PullProgress::object(std::string_view text) {
  boost::system::error_code failed;
  const json::value value = json::parse(text, failed);
  if (failed || !value.is_object())
    return Error{ErrorKind::protocol, "Docker's pull progress is not JSON: " + failed.message()};
  const auto& line = value.get_object();
  if (line.contains("error") || line.contains("errorDetail")) {
    take_error(line);
    return boost::system::in_place_value;
  }
  const auto status = text_at(line, "status");
  constexpr std::string_view digest = "Digest: ";
  if (status.starts_with(digest)) digest_ = one_line(status.substr(digest.size()), 200);
  take_layer(line, status);
  return boost::system::in_place_value;
}

void PullProgress::take_error(const json::object& line) {
  if (error_) return;  // the first one is the cause
  std::string text;
  if (const auto* detail = line.if_contains("errorDetail"); detail && detail->is_object())
    text = text_at(detail->get_object(), "message");
  if (text.empty()) text = text_at(line, "error");
  error_ = text.empty() ? "Docker gave no reason" : one_line(text, longest_error);
  error_kind_ = kind_of(line);
}

void PullProgress::take_layer(const json::object& line, std::string_view status) {
  const auto id = text_at(line, "id");
  const auto step = layer_step(status);
  if (step == LayerStep::none || id.empty() || id.size() > longest_id) return;
  auto found = layers_.find(id);
  if (found == layers_.end()) {
    if (layers_.size() >= most_layers) return;
    found = layers_.emplace(id, Layer{}).first;
  }
  Layer& layer = found->second;
  if (step == LayerStep::downloading) {
    if (const auto* detail = line.if_contains("progressDetail"); detail && detail->is_object()) {
      layer.current = size_at(detail->get_object(), "current");
      layer.total = std::max(size_at(detail->get_object(), "total"), layer.current);
    }
  }
  // Extracting counts from 0 again, so its numbers are not looked at.
  if (step == LayerStep::downloaded || step == LayerStep::done) layer.current = layer.total;
  if (step == LayerStep::done) layer.done = true;
}

Result<void> PullProgress::finish() const {
  if (error_) return Error{error_kind_, *error_};
  if (depth_ != 0)
    return Error{ErrorKind::protocol, "Docker's pull progress ended in the middle of an object"};
  return boost::system::in_place_value;
}

std::uint64_t PullProgress::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [id, layer] : layers_) sum += layer.current;
  return sum;
}

std::string PullProgress::describe() const {
  if (layers_.empty()) return "no layer yet";
  std::size_t done = 0;
  std::uint64_t total = 0;
  for (const auto& [id, layer] : layers_) {
    done += layer.done ? 1 : 0;
    total += layer.total;
  }
  auto out = fmt::format("{} of {} layers", done, layers_.size());
  if (total == 0) return out;
  constexpr double megabyte = 1e6;  // as docker pull prints them
  return out + fmt::format(", {:.1f} of {:.1f} MB", static_cast<double>(bytes()) / megabyte,
                           static_cast<double>(total) / megabyte);
}

bool pull_is_hopeless(const Error& error) {
  switch (error.kind) {
    case ErrorKind::invalid:
    case ErrorKind::not_found:
    case ErrorKind::unauthorized:
    case ErrorKind::cancelled:
      return true;
    case ErrorKind::unreachable:  // dockerd itself: it may be restarting
    case ErrorKind::timeout:
    case ErrorKind::protocol:
    case ErrorKind::too_large:
      return false;
    case ErrorKind::conflict:
    case ErrorKind::refused:
    case ErrorKind::unavailable:
      break;
  }
  const auto text = to_lower(error.message);
  const auto says = [&text](std::string_view words) {
    return text.find(words) != std::string::npos;
  };
  // The network between dockerd and the registry, whatever else the text says.
  constexpr std::string_view passing[] = {"connection refused", "connection reset", "i/o timeout",
                                          "no such host",       "toomanyrequests",  ": eof",
                                          "unexpected eof",     "timeout exceeded"};
  if (std::any_of(std::begin(passing), std::end(passing), says)) return false;
  // dockerd before 20.10 answers 500 for all of these, and errors in the stream have no status at
  // all. x509 errors are not here: a clock that is set late at boot cures them, and five attempts
  // cost three seconds.
  constexpr std::string_view final_words[] = {"no basic auth credentials",
                                              "manifest unknown",
                                              "not found",
                                              "repository does not exist",
                                              "pull access denied",
                                              "unauthorized",
                                              "denied: ",
                                              "invalid reference format",
                                              "name unknown",
                                              "no matching manifest"};
  return std::any_of(std::begin(final_words), std::end(final_words), says);
}

}  // namespace sidecar_executor::docker
