#include "docker/image_ref.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

// The grammar is that of github.com/distribution/reference, which dockerd parses names with.
constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_tag = 128;
constexpr std::size_t shortest_digest = 32;
/// Nothing valid is longer: name, tag, algorithm and a sha512 in hex. Keeps errors cheap.
constexpr std::size_t longest_reference = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
bool is_path_component(std::string_view text) {
  const auto plain = [](char c) { return is_lower(c) || is_digit(c); };
  if (text.empty() || !plain(text.front()) || !plain(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (!plain(text[end])) ++end;  // the last one is
    const auto separator = text.substr(i, end - i);
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && separator != "." && separator != "_" && separator != "__") return false;
    i = end;
    while (i < text.size() && plain(text[i])) ++i;
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

/// A host name, IPv4 address or `[IPv6]`, and perhaps `:port`.
bool is_registry(std::string_view text) {
  std::string_view host = text;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close == 1) return false;
    host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    return std::all_of(host.begin(), host.end(), [](char c) { return is_hex(c) || c == ':'; }) &&
           (rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1))));
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (!is_port(text.substr(colon + 1))) return false;
    host = text.substr(0, colon);
  }
  for (;;) {
    const auto part = host.substr(0, host.find('.'));
    if (part.empty() || part.front() == '-' || part.back() == '-') return false;
    if (!std::all_of(part.begin(), part.end(), [](char c) { return is_alnum(c) || c == '-'; }))
      return false;
    if (part.size() == host.size()) return true;
    host.remove_prefix(part.size() + 1);
  }
}

/// The registry that the name begins with; empty when it begins with none.
std::string_view registry_of(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  const auto first = name.substr(0, slash);
  // Upper case cannot be a path, so it is a host (distribution/reference, splitDockerDomain).
  const bool host = first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
                    std::any_of(first.begin(), first.end(), is_upper);
  return host ? first : std::string_view{};
}

/// What is wrong with the name; nullptr when nothing is.
const char* name_fault(std::string_view name) {
  if (name.empty()) return "no name";
  if (name.size() > longest_name) return "the name is longer than 255 characters";
  std::string_view path = name;
  if (const auto registry = registry_of(name); !registry.empty()) {
    if (!is_registry(registry)) return "the registry is not a host name or host:port";
    path.remove_prefix(registry.size() + 1);
  }
  if (std::any_of(path.begin(), path.end(), is_upper)) return "the name must be lower case";
  for (;;) {
    const auto part = path.substr(0, path.find('/'));
    if (!is_path_component(part))
      return "the name may hold a-z, 0-9, and . _ - between them, in parts separated by /";
    if (part.size() == path.size()) return nullptr;
    path.remove_prefix(part.size() + 1);
  }
}

bool is_tag(std::string_view text) {
  const auto good = [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; };
  return !text.empty() && text.size() <= longest_tag && text.front() != '.' &&
         text.front() != '-' && std::all_of(text.begin(), text.end(), good);
}

bool is_digest(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto algorithm = text.substr(0, colon);
  const auto hex = text.substr(colon + 1);
  const auto good = [](char c) {
    return is_alnum(c) || c == '+' || c == '.' || c == '_' || c == '-';
  };
  if (!std::all_of(algorithm.begin(), algorithm.end(), good)) return false;
  if (algorithm == "sha256" && hex.size() != 64) return false;
  return hex.size() >= shortest_digest && std::all_of(hex.begin(), hex.end(), is_hex);
}

Error bad(std::string_view text, std::string_view why) {
  return Error{ErrorKind::invalid, "image reference \"" + one_line(text, longest_name) +
                                       "\" is invalid: " + std::string(why)};
}

}  // namespace

std::string ImageRef::full() const {
  std::string out = name;
  if (!tag.empty()) out += ':' + tag;
  if (!digest.empty()) out += '@' + digest;
  if (tag.empty() && digest.empty()) out += ":latest";
  return out;
}

std::string ImageRef::registry() const {
  const auto registry = registry_of(name);
  // Docker Hub's two names are one registry.
  return registry.empty() || registry == "index.docker.io" ? "docker.io" : std::string(registry);
}

std::string ImageRef::pull_tag() const {
  if (!digest.empty()) return digest;
  return tag.empty() ? "latest" : tag;
}

std::string ImageRef::digest_among(const std::vector<std::string>& repo_digests) const {
  if (!digest.empty()) return digest;
  for (const auto& one : repo_digests) {
    if (one.starts_with(name + '@')) return one.substr(name.size() + 1);
  }
  // Docker Hub's images have several names.
  if (repo_digests.size() != 1) return {};
  const auto at = repo_digests[0].find('@');
  return at == std::string::npos ? std::string() : repo_digests[0].substr(at + 1);
}

Result<ImageRef> parse_image_ref(std::string_view text) {
  if (text.empty()) return Error{ErrorKind::invalid, "image reference is empty"};
  if (text.size() > longest_reference) return bad(text, "it is too long");
  ImageRef out;
  std::string_view rest = text;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    out.digest = rest.substr(at + 1);
    if (!is_digest(out.digest))
      return bad(text, "what follows @ is no digest such as sha256:<hex>");
    rest = rest.substr(0, at);
  }
  // A colon before the last slash belongs to the registry's port.
  const auto colon = rest.rfind(':');
  const auto slash = rest.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    out.tag = rest.substr(colon + 1);
    if (!is_tag(out.tag))
      return bad(text, "the tag may hold letters, digits, _ . - (at most 128, no . or - in front)");
    rest = rest.substr(0, colon);
  }
  if (const char* fault = name_fault(rest)) return bad(text, fault);
  out.name = rest;
  return out;
}

}  // namespace sidecar_executor::docker
