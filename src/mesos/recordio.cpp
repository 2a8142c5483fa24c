#include "mesos/recordio.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace sidecar_executor::mesos {
namespace {

/// No length that could be meant has more digits; what sends more has lost its framing.
constexpr std::size_t header_limit = 20;

}  // namespace

Result<void> RecordIoDecoder::feed(std::string_view bytes, std::vector<std::string>& completed) {
  while (!broken_ && !bytes.empty()) {
    if (!in_body_) {
      const auto header = feed_header(bytes);
      if (!header) return header;
    }
    // Grows with what really comes, not with what a length promised.
    if (in_body_) {
      const std::size_t size = std::min(expected_ - body_.size(), bytes.size());
      body_.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      if (body_.size() == expected_) {
        completed.push_back(std::move(body_));
        body_ = {};
        in_body_ = false;
      }
    }
  }
  if (broken_) return Error{ErrorKind::protocol, "the RecordIO stream has lost its framing"};
  return {};
}

/// Takes digits up to the line end; in_body_ when the length is complete.
Result<void> RecordIoDecoder::feed_header(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (c == '\n' && !header_.empty()) {
      expected_ = 0;
      for (const char digit : header_) {
        expected_ = expected_ * 10 + static_cast<std::size_t>(digit - '0');
        if (expected_ > limit_) {
          broken_ = true;
          return Error{ErrorKind::too_large,
                       "a record of " + header_ + " bytes, the limit is " + std::to_string(limit_)};
        }
      }
      header_.clear();
      in_body_ = true;
      return {};
    }
    if (c < '0' || c > '9' || header_.size() == header_limit) {
      broken_ = true;
      return Error{ErrorKind::protocol, "expected the decimal length of a record, found \"" +
                                            one_line(header_ + c, 40) + "\""};
    }
    header_ += c;
  }
  return {};
}

std::string encode_record(std::string_view record) {
  std::string out = std::to_string(record.size());
  out += '\n';
  out += record;
  return out;
}

}  // namespace sidecar_executor::mesos
