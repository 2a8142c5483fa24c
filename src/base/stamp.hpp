#pragma once
// Pure: Docker's time stamps, `2026-01-02T15:04:05.123456789Z` (or with an offset), in the forms
// that log records have. Text that is no such stamp is passed on as it is.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sidecar_executor {

/// True for RFC 3339 with any number of digits behind the seconds.
bool is_stamp(std::string_view text);

/// What of it names the second, without the zone: a log has one.
std::string_view second_of(std::string_view stamp);

/// Nanoseconds since 1970, of a text that is_stamp(). Before 1970 and after 2116: those of the
/// nearest second that is not.
std::int64_t stamp_nanoseconds(std::string_view stamp);
/// The nanoseconds behind its full second.
std::int64_t stamp_fraction(std::string_view stamp);
/// The stamp of a moment, in UTC and with nine digits, as Docker writes it.
std::string stamp_of(std::chrono::system_clock::time_point time);
/// `2026-01-02T15:04:05Z`, as log lines have it.
std::string format_utc(std::chrono::system_clock::time_point time);
/// Seconds since 1970 with nine digits behind the point, as Docker's queries want times.
std::string unix_time(std::chrono::nanoseconds since_1970);

void append_whole_seconds(std::string& out, std::string_view stamp);  ///< 2026-01-02T15:04:05Z
void append_microseconds(std::string& out, std::string_view stamp);   ///< at most six digits
/// `Jan  2 15:04:05`, in the host's zone: RFC 3164 has no other.
void append_bsd(std::string& out, std::string_view stamp);

}  // namespace sidecar_executor
