#include "docker/log_position.hpp"

#include <algorithm>
#include <chrono>

#include "base/stamp.hpp"

namespace sidecar_executor::docker {
namespace {

/// Entries that may come out of order; dockerd's two copiers are some microseconds apart.
constexpr std::size_t remembered = 4096;

}  // namespace

/// 63 bits of nanoseconds reach to 2262; without their highest one, to 2116.
std::int64_t LogPosition::key_of(std::string_view stamp, LogStream stream) {
  if (second_of(stamp) != second_) {
    second_ = second_of(stamp);
    second_ns_ = stamp_nanoseconds(stamp) - stamp_fraction(stamp);
  }
  return (second_ns_ + stamp_fraction(stamp)) * 2 + (stream == LogStream::err ? 1 : 0);
}

void LogPosition::took(std::string_view stamp, LogStream stream) {
  if (!stamp.empty()) remember(key_of(stamp, stream));
}

void LogPosition::remember(std::int64_t key) {
  if (recent_.size() < remembered) {
    recent_.push_back(key);
    return;
  }
  recent_[oldest_] = key;
  oldest_ = (oldest_ + 1) % remembered;
}

std::string LogPosition::begin_again() {
  again_ = recent_;
  std::sort(again_.begin(), again_.end());
  if (again_.empty()) return "0";
  // Podman's `since` is the whole second: of what is older than all that is remembered, but not
  // than all that was ever taken, nothing is new.
  forgotten_ = recent_.size() == remembered ? again_.front() : 0;
  return unix_time(std::chrono::nanoseconds(again_.front() / 2));
}

bool LogPosition::was_taken(std::string_view stamp, LogStream stream) {
  if (stamp.empty() || (again_.empty() && forgotten_ == 0)) return false;
  const auto key = key_of(stamp, stream);
  if (key < forgotten_) return true;
  const auto at = std::lower_bound(again_.begin(), again_.end(), key);
  if (at == again_.end() || *at != key) return false;
  again_.erase(at);
  return true;
}

}  // namespace sidecar_executor::docker
