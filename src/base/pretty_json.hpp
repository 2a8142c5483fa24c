#pragma once
// JSON as text: for people (two blanks a level, members in the order that they have), and for
// others that read it strictly. And the text of a member, out of JSON of others.

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

namespace sidecar_executor {

/// Without a newline at its end.
std::string pretty_json(const boost::json::value& value);

/// One line, of a value that came from outside. 1e999 and 0e26102 are numbers in JSON, but
/// Boost.JSON writes `Infinity` and `NaN` for them, which are none: null here.
std::string json_text(const boost::json::value& value);

/// Empty when there is no such member, or when it is no text.
std::string text_at(const boost::json::object& object, std::string_view key);

}  // namespace sidecar_executor
