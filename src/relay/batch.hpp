#pragma once
// Pure: records on their way to a collector, behind one another in one buffer.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/record.hpp"

namespace sidecar_executor::relay {

/// How records are told apart on the way.
enum class Framing : std::uint8_t {
  none,           ///< a datagram each
  octet_counting  ///< RFC 6587 3.4.1: `123 RECORD`, without the newline at the record's end
};

class Batch {
 public:
  explicit Batch(Framing framing) : framing_(framing) {}

  /// Appends the record's next part; false when none is left.
  bool append(Record& record);
  /// As much as is worth a system call: send it before more is appended.
  [[nodiscard]] bool full() const;
  [[nodiscard]] bool empty() const { return ends_.empty(); }
  void clear();

  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  /// With its framing. `i` < size().
  [[nodiscard]] std::string_view operator[](std::size_t i) const;
  /// Records from `i` on, at most `most` of them, that are all as long as the first, the last one
  /// perhaps shorter: how many. Without framing they stand behind one another.
  [[nodiscard]] std::size_t run(std::size_t i, std::size_t most) const;

 private:
  Framing framing_;
  std::string bytes_;
  std::vector<std::uint32_t> begins_;
  std::vector<std::uint32_t> ends_;
};

}  // namespace sidecar_executor::relay
