#pragma once
// JSON for people: two blanks a level, members in the order that they have.

#include <boost/json/fwd.hpp>
#include <string>

namespace sidecar_executor {

/// Without a newline at its end.
std::string pretty_json(const boost::json::value& value);

}  // namespace sidecar_executor
