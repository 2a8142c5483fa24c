#pragma once
// What the files that make the create body have in common: errors, field names, members of JSON.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace sidecar_executor::docker {

inline Error invalid(std::string message) { return {ErrorKind::invalid, std::move(message)}; }

/// `container.volumes[2]`
inline std::string indexed(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

/// What `value` holds, made empty when it held anything else.
inline boost::json::array& array_at(boost::json::value& value) {
  return value.is_array() ? value.get_array() : value.emplace_array();
}
inline boost::json::object& object_at(boost::json::value& value) {
  return value.is_object() ? value.get_object() : value.emplace_object();
}

}  // namespace sidecar_executor::docker
