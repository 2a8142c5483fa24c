#pragma once
// Expected failure. Everything that can fail because the world is as it is returns Result<T>;
// exceptions mean a bug.

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace sidecar_executor {

/// What a caller can decide by. Texts are for people, kinds are for code.
enum class ErrorKind {
  invalid,       ///< input that can never work: a bad field, a bad setting
  not_found,     ///< HTTP 404 and its kin: no such image, no such container
  conflict,      ///< HTTP 409: name taken, not running
  unauthorized,  ///< HTTP 401 and 403
  refused,       ///< any other answer that says no (HTTP 4xx)
  unavailable,   ///< HTTP 5xx
  unreachable,   ///< no connection, or it broke
  timeout,       ///< a deadline of ours passed
  protocol,      ///< an answer that is no answer: bad HTTP, bad JSON, cut off
  too_large,     ///< over one of our size limits
  cancelled,     ///< we ended it ourselves
};

std::string_view to_string(ErrorKind kind);

/// An error with the way it came: "create container mesos-1: 409 Conflict: name in use".
struct Error {
  ErrorKind kind = ErrorKind::invalid;
  std::string message;
  int http_status = 0;  ///< 0 when no HTTP answer was involved

  /// The same error, with what was being done in front: `step subject: message`.
  [[nodiscard]] Error during(std::string_view step, std::string_view subject = {}) const;
};

template <typename T>
using Result = boost::system::result<T, Error>;

/// Asked by boost::system::result when value() is called on an error: a bug of ours.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

/// `200`..`599` to the kind that callers decide by.
ErrorKind kind_of_http_status(int status);

}  // namespace sidecar_executor
