#pragma once
// The one table of parameters. Private to parameters.cpp, parameter_doc.cpp and the readers.

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "docker/parameters.hpp"

namespace sidecar_executor::docker {

struct ParameterFlag;

/// What a row's reader works with.
struct ParameterReading {
  const ParameterInputs& inputs;
  const ParameterFlag& flag;
  ParameterValues& out;
  boost::json::object& labels;
  /// Contents of env-file and label-file: they count before env and label, wherever they stand.
  std::vector<std::string>& file_env;
  boost::json::object& file_labels;
};

/// An error's text says what the value should have been, not what it was.
using ParameterReader = Result<void> (*)(const ParameterReading& reading, std::string_view value);

/// One row a flag.
struct ParameterFlag {
  std::string_view name;
  std::string_view aliases;  ///< other names, separated by blanks; usually none
  ParameterReader read;
  std::string_view target;  ///< member of the create body: `HostConfig.CapAdd`
  std::string_view syntax;  ///< an example; for read_choice the choices, with `|` between them
  std::string_view doc;
  int since = 0;  ///< Docker's API 1.`since` knows it, older ones ignore it in silence; 0 = all
};

/// In alphabetical order.
std::span<const ParameterFlag> parameter_flags();

}  // namespace sidecar_executor::docker
