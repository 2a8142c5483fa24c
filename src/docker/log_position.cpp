#include "docker/log_position.hpp"

#include <algorithm>
#include <chrono>

#include "base/stamp.hpp"

namespace sidecar_executor::docker {
namespace {

/// Stamps, each with how many entries in a row had it. Entries may come out of order; dockerd's two
/// copiers are some microseconds apart.
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
  const bool full = recent_.size() == remembered;
  const std::size_t newest = full ? (oldest_ + remembered - 1) % remembered : recent_.size() - 1;
  if (!recent_.empty() && recent_[newest].key == key) {
    ++recent_[newest].count;
  } else if (!full) {
    recent_.push_back({key, 1});
  } else {
    recent_[oldest_] = {key, 1};
    oldest_ = (oldest_ + 1) % remembered;
  }
}

std::string LogPosition::begin_again() {
  again_.clear();
  auto taken = recent_;
  std::sort(taken.begin(), taken.end(),
            [](const Taken& a, const Taken& b) { return a.key < b.key; });
  for (const auto& one : taken) {
    if (!again_.empty() && again_.back().key == one.key) {
      again_.back().count += one.count;
    } else {
      again_.push_back(one);
    }
  }
  if (again_.empty()) return "0";
  // Podman's `since` is the whole second: of what is older than all that is remembered, but not
  // than all that was ever taken, nothing is new.
  forgotten_ = recent_.size() == remembered ? again_.front().key : 0;
  return unix_time(std::chrono::nanoseconds(again_.front().key / 2));
}

bool LogPosition::was_taken(std::string_view stamp, LogStream stream) {
  if (stamp.empty() || (again_.empty() && forgotten_ == 0)) return false;
  const auto key = key_of(stamp, stream);
  if (key < forgotten_) return true;
  const auto at =
      std::lower_bound(again_.begin(), again_.end(), key,
                       [](const Taken& one, std::int64_t wanted) { return one.key < wanted; });
  if (at == again_.end() || at->key != key || at->count == 0) return false;
  --at->count;
  return true;
}

}  // namespace sidecar_executor::docker
