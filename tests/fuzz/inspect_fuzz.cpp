// Docker's inspect documents: what is passed on holds no variable's value.
#include <boost/json.hpp>

#include "docker/inspect.hpp"
#include "fuzz/fuzz_target.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

void check_variables(const json::value& document) {
  require(document.is_array() && document.get_array().size() == 1, "an array of one");
  const auto& root = document.get_array()[0];
  const auto* config = root.is_object() ? root.get_object().if_contains("Config") : nullptr;
  if (config == nullptr || !config->is_object()) return;
  const auto* all = config->get_object().if_contains("Env");
  if (all == nullptr || !all->is_array()) return;
  for (const auto& variable : all->get_array()) {
    if (!variable.is_string()) continue;
    const std::string_view text = variable.get_string();
    const auto equals = text.find('=');
    require(equals == std::string_view::npos ||
                text.substr(equals + 1).find(sx::fuzz::secret_mark) == std::string_view::npos,
            "names only");
  }
}

}  // namespace

SX_FUZZ_TARGET(inspect) {
  const auto state = sx::docker::parse_inspect(input);
  if (!state) {
    require(state.error().kind == sx::ErrorKind::protocol &&
                sx::fuzz::is_for_people(state.error().message, 500),
            "an error names the field");
  } else {
    require(!state->id.empty(), "a container has an id");
  }
  const auto shown = sx::docker::inspect_for_framework(input);
  if (!shown) return;
  boost::system::error_code failed;
  const auto value = json::parse(*shown, failed);
  require(!failed, "what the framework gets is JSON");
  check_variables(value);
}
