#pragma once
// JSON as text: for people (two blanks a level, members in the order that they have), and for
// others that read it strictly.

#include <boost/json/fwd.hpp>
#include <string>

namespace sidecar_executor {

/// Without a newline at its end.
std::string pretty_json(const boost::json::value& value);

/// One line, of a value that came from outside. 1e999 is a number in JSON, but Boost.JSON writes
/// `Infinity` for it, which is none: null here.
std::string json_text(const boost::json::value& value);

}  // namespace sidecar_executor
