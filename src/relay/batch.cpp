#include "relay/batch.hpp"

#include <array>
#include <charconv>

namespace sidecar_executor::relay {
namespace {

constexpr std::size_t enough_bytes = 64 * 1024;
constexpr std::size_t enough_records = 512;
constexpr std::size_t count_size = 6;  // `65507 `

}  // namespace

bool Batch::append(Record& record) {
  const std::size_t begin = bytes_.size();
  const std::size_t text = begin + (framing_ == Framing::octet_counting ? count_size : 0);
  bytes_.resize(text);
  if (!record.append(bytes_)) {
    bytes_.resize(begin);
    return false;
  }
  std::size_t first = begin;
  if (framing_ == Framing::octet_counting) {
    if (bytes_.ends_with('\n')) bytes_.pop_back();
    // Written right before the record; what is left of the room before it stays unused.
    std::array<char, count_size> count{};
    auto* const end =
        std::to_chars(count.data(), count.data() + count_size - 1, bytes_.size() - text).ptr;
    *end = ' ';
    const auto size = static_cast<std::size_t>(end + 1 - count.data());
    first = text - size;
    bytes_.replace(first, size, count.data(), size);
  }
  begins_.push_back(static_cast<std::uint32_t>(first));
  ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  return true;
}

bool Batch::full() const { return bytes_.size() >= enough_bytes || size() >= enough_records; }

void Batch::clear() {
  bytes_.clear();
  begins_.clear();
  ends_.clear();
}

std::string_view Batch::operator[](std::size_t i) const {
  return std::string_view(bytes_).substr(begins_[i], ends_[i] - begins_[i]);
}

std::size_t Batch::run(std::size_t i, std::size_t most) const {
  const std::size_t length = ends_[i] - begins_[i];
  std::size_t count = 1;
  for (; count < most && i + count < size(); ++count) {
    const std::size_t next = ends_[i + count] - begins_[i + count];
    if (next > length) break;
    if (next < length) return count + 1;
  }
  return count;
}

}  // namespace sidecar_executor::relay
