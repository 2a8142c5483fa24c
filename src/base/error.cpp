#include "base/error.hpp"

#include <stdexcept>

namespace sidecar_executor {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::not_found:
      return "not found";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::unauthorized:
      return "unauthorized";
    case ErrorKind::refused:
      return "refused";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::unreachable:
      return "unreachable";
    case ErrorKind::timeout:
      return "timed out";
    case ErrorKind::protocol:
      return "bad answer";
    case ErrorKind::too_large:
      return "too large";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Error Error::during(std::string_view step, std::string_view subject) const {
  Error out = *this;
  std::string text(step);
  if (!subject.empty()) {
    text += ' ';
    text += subject;
  }
  text += ": ";
  out.message.insert(0, text);
  return out;
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error("value() of a failed result at " + where.to_string() + ": " +
                         error.message);
}

ErrorKind kind_of_http_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::unauthorized;
    case 404:
      return ErrorKind::not_found;
    case 409:
      return ErrorKind::conflict;
    default:
      return status >= 500 ? ErrorKind::unavailable : ErrorKind::refused;
  }
}

}  // namespace sidecar_executor
