#pragma once
// Pure: a line → the records that a collector gets (relay.md). JSON as the Go executor's logrus
// writes it, or a syslog message after RFC 5424 or RFC 3164.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/settings.hpp"
#include "relay/lines.hpp"

namespace sidecar_executor::relay {

struct RecordFields {
  SyslogFormat format = SyslogFormat::json;
  std::string host;       ///< LogHostname
  std::string container;  ///< id, 12 characters; not part of the JSON
  /// SendDockerLabels, those that the container has.
  std::vector<std::pair<std::string, std::string>> labels;
};

/// Writes records of one line after the other. No allocation per line once `out` has its size.
class Record {
 public:
  /// Bytes of the largest record: the payload of a UDP datagram over IPv4.
  static constexpr std::size_t largest = 65'507;

  explicit Record(const RecordFields& fields);

  /// Takes a line, which has to live until append() has returned false. How many records it needs:
  /// one, or parts whose `Part` says 1/3, 2/3, 3/3.
  std::size_t begin(const Line& line);
  /// Appends the next record; JSON ends in \n. False: none is left.
  bool append(std::string& out);

  /// The labels together were too large for any record and are not sent.
  [[nodiscard]] bool labels_left_out() const { return labels_left_out_; }

 private:
  enum class Variable : std::uint8_t { level, stamp, part, payload, end };
  struct Segment {
    std::string literal;
    Variable then;
  };
  using Shape = std::vector<Segment>;

  Shape shape(const RecordFields& fields, bool with_part) const;
  static Shape json_shape(const RecordFields& fields, bool with_part);
  static Shape rfc5424_shape(const RecordFields& fields, bool with_part);
  static Shape rfc3164_shape(const RecordFields& fields, bool with_part);
  static std::size_t fixed_size(const Shape& shape);
  void make_shapes(const RecordFields& fields);

  void set_stamp(std::string_view stamp);
  [[nodiscard]] std::size_t count_parts() const;
  void append_variable(std::string& out, Variable variable, std::string_view payload);

  SyslogFormat format_;
  Shape whole_;
  Shape part_;
  std::size_t whole_room_ = 0;  // for the escaped payload
  std::size_t part_room_ = 0;
  bool labels_left_out_ = false;

  std::string stamp_key_;  // what stamp_ was made of
  std::string stamp_;
  std::string_view text_;
  bool error_ = false;
  std::size_t parts_ = 0;
  std::size_t next_part_ = 0;  // 1 = the first; 0 = nothing begun
};

}  // namespace sidecar_executor::relay
