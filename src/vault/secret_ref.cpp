#include "vault/secret_ref.hpp"

#include <charconv>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace sidecar_executor::vault {
namespace {

constexpr std::string_view scheme = "vault://";

Error bad(std::string_view value, std::string_view why) {
  return {ErrorKind::invalid,
          one_line(value, 200) + " is no secret that can be asked for: " + std::string(why)};
}

/// nullopt for a `%` without two hex digits.
std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto byte = percent_escape(text, i);
      if (!byte) return std::nullopt;
      out += *byte;
      i += 2;
    }
  }
  return out;
}

/// `..` would leave the place that a policy was written for.
std::string_view fault_of_path(std::string_view path) {
  if (path.empty()) return "it has no path";
  for (const auto& segment : split(path, '/')) {
    if (segment.empty()) return "its path has an empty part";
    if (segment == "." || segment == "..") return "its path must not hold . or ..";
  }
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return "its path holds a control character";
  }
  return {};
}

std::optional<std::int64_t> parse_version(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

/// The first of a name counts, and an empty one is as good as none.
Result<void> take_query(std::string_view value, std::string_view query, SecretRef& into) {
  bool has_key = false;
  bool has_version = false;
  for (const auto& parameter : split(query, '&')) {
    const auto equals = parameter.find('=');
    const auto name = decode(std::string_view(parameter).substr(0, equals), true);
    const auto text =
        decode(equals == std::string::npos ? std::string_view()
                                           : std::string_view(parameter).substr(equals + 1),
               true);
    if (!name || !text) return bad(value, "a % is not followed by two hex digits");
    if (text->empty()) continue;
    if (*name == "key" && !has_key) {
      has_key = true;
      into.key = *text;
    } else if (*name == "version" && !has_version) {
      has_version = true;
      into.version = parse_version(*text);
      if (!into.version) return bad(value, "version is not a whole number from 1 on");
    }
  }
  return boost::system::in_place_value;
}

}  // namespace

bool is_secret_ref(std::string_view value) { return value.starts_with(scheme); }

Result<SecretRef> parse_secret_ref(std::string_view value) {
  if (!is_secret_ref(value)) return bad(value, "it does not begin with vault://");
  std::string_view rest = value.substr(scheme.size());
  rest = rest.substr(0, rest.find('#'));
  const auto question = rest.find('?');
  SecretRef ref;
  auto path = decode(rest.substr(0, question), false);
  if (!path) return bad(value, "a % is not followed by two hex digits");
  while (path->starts_with('/')) path->erase(0, 1);
  while (path->ends_with('/')) path->pop_back();
  if (const auto fault = fault_of_path(*path); !fault.empty()) return bad(value, fault);
  ref.path = std::move(*path);
  if (question != std::string_view::npos) {
    const auto taken = take_query(value, rest.substr(question + 1), ref);
    if (!taken) return taken.error();
  }
  return ref;
}

std::string encode_path(std::string_view path) { return percent_encode(path, "/"); }

}  // namespace sidecar_executor::vault
