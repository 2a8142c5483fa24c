#pragma once
// The JSON progress stream of POST /images/create: one object a line (or none), errors inside it.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.hpp"

namespace sidecar_executor::docker {

/// Follows a pull. Bytes in at any border; memory bounded by one JSON object (1 MiB) and one number
/// pair a layer.
class PullProgress {
 public:
  /// Error (protocol, too_large): the stream is no JSON objects.
  Result<void> feed(std::string_view bytes);
  /// The stream ended. Error when it ended inside an object, or when Docker reported one.
  [[nodiscard]] Result<void> finish() const;
  /// `error` of the stream, if one came.
  [[nodiscard]] const std::optional<std::string>& error() const { return error_; }
  /// For the log: `3 of 7 layers, 12.5 of 80.1 MB`.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] std::uint64_t bytes() const;  ///< downloaded, of all layers
  [[nodiscard]] const std::string& digest() const { return digest_; }

 private:
  Result<void> object(std::string_view text);
  void take_error(const boost::json::object& line);
  void take_layer(const boost::json::object& line, std::string_view status);
  struct Layer {
    std::uint64_t current = 0;
    std::uint64_t total = 0;
    bool done = false;
  };
  std::string pending_;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  std::unordered_map<std::string, Layer> layers_;
  std::optional<std::string> error_;
  ErrorKind error_kind_ = ErrorKind::unavailable;
  std::string digest_;
};

/// True when trying the pull again cannot help: not found, unauthorised, bad reference; told by the
/// HTTP status and, for old engines that answer 500, by the text. One table.
bool pull_is_hopeless(const Error& error);

}  // namespace sidecar_executor::docker
