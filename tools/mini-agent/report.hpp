// What the operator sees: JSON lines for programs or a page for people.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>

#include "options.hpp"

namespace mini_agent {

using Reporter = std::function<void(const boost::json::object& event)>;

Reporter json_reporter();
Reporter human_reporter(const Options& options);

}  // namespace mini_agent
