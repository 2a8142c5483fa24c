#include "vault/answer.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>

#include "base/wipe.hpp"

namespace sidecar_executor::vault {
namespace {

namespace json = boost::json;

constexpr std::size_t most_levels = 4;
/// A secret has a handful of keys; a list of a million empty strings is none.
constexpr std::size_t most_nodes = 10'000;

/// Boost.JSON's parser calls these; the text of numbers comes as it stands in the document.
// NOLINTBEGIN(readability-identifier-naming): the names are Boost.JSON's
struct Handler {
  constexpr static std::size_t max_object_size = most_nodes;
  constexpr static std::size_t max_array_size = most_nodes;
  constexpr static std::size_t max_key_size = 64UL * 1024;
  constexpr static std::size_t max_string_size = 16UL * 1024 * 1024;
  using Code = boost::system::error_code;

  std::vector<Node> nodes;
  std::vector<std::string> path{{}};  // the last part is that of the value to come
  std::vector<std::size_t> index;     // of the arrays that are open; npos for an object
  std::string pending;                // parts of a string, key or number

  bool add(Node::Kind kind, std::string text, Code& ec) {
    if (!index.empty() && index.back() != std::string::npos)
      path.back() = std::to_string(index.back()++);
    if (index.size() > most_levels) {
      wipe(text);
      return true;
    }
    if (nodes.size() >= most_nodes) {
      ec = json::error::array_too_large;
      return false;
    }
    nodes.push_back({{path.begin() + 1, path.end()}, kind, std::move(text)});
    if (index.empty()) nodes.back().path.clear();
    return true;
  }
  bool open(Node::Kind kind, Code& ec) {
    if (!add(kind, {}, ec)) return false;
    index.push_back(kind == Node::Kind::array ? 0 : std::string::npos);
    path.emplace_back();
    return true;
  }
  bool close() {
    index.pop_back();
    path.pop_back();
    return true;
  }
  std::string taken(std::string_view last) {
    std::string all = pending;
    all.append(last);
    wipe(pending);
    return all;
  }
  bool part(std::string_view text) {
    pending.append(text);
    return true;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& ec) { return open(Node::Kind::object, ec); }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_begin(Code& ec) { return open(Node::Kind::array, ec); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(json::string_view s, std::size_t, Code&) { return part(s); }
  bool on_key(json::string_view s, std::size_t, Code&) {
    path.back() = taken(s);
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, Code&) { return part(s); }
  bool on_string(json::string_view s, std::size_t, Code& ec) {
    return add(Node::Kind::text, taken(s), ec);
  }
  bool on_number_part(json::string_view s, Code&) { return part(s); }
  bool on_int64(std::int64_t, json::string_view s, Code& ec) { return number(s, ec); }
  bool on_uint64(std::uint64_t, json::string_view s, Code& ec) { return number(s, ec); }
  bool on_double(double, json::string_view s, Code& ec) { return number(s, ec); }
  bool number(std::string_view s, Code& ec) { return add(Node::Kind::number, taken(s), ec); }
  bool on_bool(bool b, Code& ec) { return add(Node::Kind::boolean, b ? "true" : "false", ec); }
  bool on_null(Code& ec) { return add(Node::Kind::null, {}, ec); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};
// NOLINTEND(readability-identifier-naming)

bool same(const std::vector<std::string>& path, Answer::Path wanted) {
  return std::equal(path.begin(), path.end(), wanted.begin(), wanted.end());
}

bool is_directly_below(const std::vector<std::string>& path, Answer::Path above) {
  return path.size() == above.size() + 1 && std::equal(above.begin(), above.end(), path.begin());
}

}  // namespace

Result<Answer> Answer::parse(std::string_view body) {
  json::basic_parser<Handler> parser{json::parse_options{}};
  boost::system::error_code ec;
  const auto used = parser.write_some(false, body.data(), body.size(), ec);
  Answer answer;
  answer.nodes_ = std::move(parser.handler().nodes);
  wipe(parser.handler().pending);
  if (ec || used != body.size() || answer.nodes_.empty() ||
      answer.nodes_.front().kind != Node::Kind::object) {
    return Error{ErrorKind::protocol,
                 "the answer is no JSON object" + (ec ? " (" + ec.message() + ")" : std::string())};
  }
  return answer;
}

Answer::~Answer() {
  for (auto& node : nodes_) wipe(node.text);
}

/// The last one of a name counts, as everywhere in JSON.
const Node* Answer::find(Path path) const {
  const auto found = std::find_if(nodes_.rbegin(), nodes_.rend(),
                                  [path](const Node& node) { return same(node.path, path); });
  return found == nodes_.rend() ? nullptr : &*found;
}

std::string Answer::text(Path path) const {
  const Node* node = find(path);
  return node != nullptr && node->kind == Node::Kind::text ? node->text : std::string();
}

std::optional<std::int64_t> Answer::number(Path path) const {
  const Node* node = find(path);
  if (node == nullptr || node->kind != Node::Kind::number) return std::nullopt;
  std::int64_t value = 0;
  const char* const last = node->text.data() + node->text.size();
  const auto [end, ec] = std::from_chars(node->text.data(), last, value);
  if (ec != std::errc{} || end != last) return std::nullopt;
  return value;
}

bool Answer::is_true(Path path) const {
  const Node* node = find(path);
  return node != nullptr && node->kind == Node::Kind::boolean && node->text == "true";
}

std::vector<std::string> Answer::names_in(Path path) const {
  std::vector<std::string> names;
  for (const auto& node : nodes_) {
    if (is_directly_below(node.path, path)) names.push_back(node.path.back());
  }
  return names;
}

std::vector<std::string> Answer::texts_in(Path path) const {
  std::vector<std::string> texts;
  for (const auto& node : nodes_) {
    if (is_directly_below(node.path, path) && node.kind == Node::Kind::text)
      texts.push_back(node.text);
  }
  return texts;
}

}  // namespace sidecar_executor::vault
