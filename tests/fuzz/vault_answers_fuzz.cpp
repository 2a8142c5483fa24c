// Vault's answers: held against a full parse, and no message shows a value of them.
#include <boost/json.hpp>

#include "fuzz/fuzz_target.hpp"
#include "vault/answers.hpp"

namespace json = boost::json;
namespace vault = sidecar_executor::vault;
namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

bool names_are_harmless(const json::value& value) {
  if (const auto* array = value.if_array())
    return std::all_of(array->begin(), array->end(), names_are_harmless);
  if (const auto* object = value.if_object()) {
    return std::all_of(object->begin(), object->end(), [](const auto& member) {
      return !sx::fuzz::has_secret(member.key()) && names_are_harmless(member.value());
    });
  }
  return true;
}

template <typename T>
void check_message(const sx::Result<T>& result, bool harmless) {
  if (result) return;
  require(sx::fuzz::is_for_people(result.error().message, 3000), "the error's text");
  require(!harmless || !sx::fuzz::has_secret(result.error().message), "no value in a message");
}

void check_meanings(const vault::Answer& answer, bool harmless) {
  check_message(vault::token_grant(answer), harmless);
  check_message(vault::token_state(answer), harmless);
  check_message(vault::renewed_lease(answer), harmless);
  check_message(vault::aws_credentials(answer), harmless);
  const auto told = vault::mount_of(answer);
  for (const auto& mount : {vault::Mount{}, vault::Mount{"secret/", true}, told}) {
    const vault::SecretRef ref{"secret/app", "password", std::nullopt};
    require(!vault::secret_target(ref, mount).empty(), "there is a place to ask");
    const auto value = vault::secret_value(answer, ref, mount);
    check_message(value, harmless);
    if (value)
      require(value->text().find('\0') == std::string::npos, "a value fits into a variable");
  }
}

/// Strings and truth directly below the top are those that a full parse has.
void check_members(const vault::Answer& answer, const json::object& object) {
  for (const auto& member : object) {
    const auto* text = member.value().if_string();
    require(answer.text({member.key()}) == (text == nullptr ? "" : std::string_view(*text)),
            "strings as in a full parse");
    const auto* truth = member.value().if_bool();
    require(answer.is_true({member.key()}) == (truth != nullptr && *truth), "truth as well");
    const auto* number = member.value().if_int64();
    if (number != nullptr && answer.number({member.key()}))
      require(*answer.number({member.key()}) == *number, "and numbers");
  }
}

}  // namespace

SX_FUZZ_TARGET(vault_answers) {
  const auto answer = vault::Answer::parse(input);
  boost::system::error_code failed;
  const auto parsed = json::parse(input, failed);
  const bool object = !failed && parsed.is_object();
  if (!answer) {
    require(!sx::fuzz::has_secret(answer.error().message), "what is no answer is not shown");
    require(!object || input.size() > 9'999, "a small JSON object is an answer");
  } else {
    require(object, "an answer is a JSON object");
    check_members(*answer, parsed.get_object());
    check_meanings(*answer, names_are_harmless(parsed));
  }
  require(sx::fuzz::is_for_people(vault::said(502, input), 700), "what Vault said, for people");
}
