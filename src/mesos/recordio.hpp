#pragma once
// RecordIO, the framing of Mesos' event streams: decimal length, '\n', that many bytes.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::mesos {

/// Bytes in at any border, whole records out. Holds at most one unfinished record.
class RecordIoDecoder {
 public:
  static constexpr std::size_t default_limit = 64 * 1024 * 1024;  ///< bytes of one record
  explicit RecordIoDecoder(std::size_t limit = default_limit) : limit_(limit) {}

  /// The records that `bytes` completes, in order. An error (protocol: no decimal length;
  /// too_large) is final: the connection has lost its framing and has to be dropped. Records
  /// completed before the bad one in the same bytes are in `completed`.
  Result<void> feed(std::string_view bytes, std::vector<std::string>& completed);

  /// Nothing half read: the stream may end here.
  [[nodiscard]] bool at_border() const { return header_.empty() && !in_body_; }

 private:
  Result<void> feed_header(std::string_view& bytes);

  std::size_t limit_;
  std::string header_;
  std::string body_;
  std::size_t expected_ = 0;
  bool in_body_ = false;
  bool broken_ = false;
};

std::string encode_record(std::string_view record);

}  // namespace sidecar_executor::mesos
