#include "mesos/cluster.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "base/timeouts.hpp"

namespace sidecar_executor::mesos {
namespace json = boost::json;

namespace {

constexpr std::size_t read_size = 32 * 1024;
constexpr std::size_t hosts_limit = 100'000;  // far beyond any cluster; bounds memory
/// Linux starts no program with a variable of more than 128 KiB (MAX_ARG_STRLEN).
constexpr std::size_t seeds_limit = 120 * 1024;
constexpr std::size_t string_limit = 4096;  // keys and host names; longer ones cannot be meant

/// Boost.JSON's SAX interface: follows the path of object keys, looks through arrays.
struct PathHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::vector<std::string> path;
  std::size_t limit = 0;
  std::vector<std::string> found;
  std::size_t depth = 0;    // of objects
  std::size_t matched = 0;  // leading path elements that lead to where we are
  std::string token;
  bool too_long = false;  // token is not all of it

  void add(json::string_view part) {
    too_long = too_long || token.size() + part.size() > string_limit;
    if (!too_long) token.append(part.data(), part.size());
  }
  void next_token() {
    token.clear();
    too_long = false;
  }
  using error_code = boost::system::error_code;
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    ++depth;
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    --depth;
    if (matched > depth) matched = depth;
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    add(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    add(part);
    // A key at depth d continues the path when the d-1 objects around it did.
    if (matched >= depth) matched = depth - 1;
    const bool ours = depth <= path.size() && !too_long && token == path[depth - 1];
    if (matched == depth - 1 && ours) matched = depth;
    next_token();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, error_code&) {
    add(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, error_code& ec) {
    add(part);
    const bool here = matched == path.size() && depth == path.size();
    if (here && !too_long && found.size() < limit) {
      found.push_back(token);
      if (found.size() == limit) ec = json::error::extra_data;  // stops the parser: enough
    }
    next_token();
    return !ec;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = true;
  return options;
}

}  // namespace

struct JsonStringFinder::Impl {
  json::basic_parser<PathHandler> parser{options()};
};

JsonStringFinder::JsonStringFinder(std::vector<std::string> path, std::size_t limit)
    : impl_(std::make_unique<Impl>()) {
  impl_->parser.handler().path = std::move(path);
  impl_->parser.handler().limit = limit;
}

JsonStringFinder::~JsonStringFinder() = default;

const std::vector<std::string>& JsonStringFinder::found() const {
  return impl_->parser.handler().found;
}

Result<bool> JsonStringFinder::feed(std::string_view bytes) {
  const auto& handler = impl_->parser.handler();
  if (handler.found.size() >= handler.limit) return true;
  if (impl_->parser.done()) return false;  // or it would take the rest for another document
  boost::system::error_code ec;
  impl_->parser.write_some(true, bytes.data(), bytes.size(), ec);
  if (handler.found.size() >= handler.limit) return true;
  if (ec) return Error{ErrorKind::protocol, "not JSON: " + ec.message()};
  return false;
}

Result<void> JsonStringFinder::finish() {
  const auto& handler = impl_->parser.handler();
  if (handler.found.size() >= handler.limit || impl_->parser.done())
    return boost::system::in_place_value;
  boost::system::error_code ec;
  impl_->parser.write_some(false, "", 0, ec);
  if (ec) return Error{ErrorKind::protocol, "JSON cut off"};
  return boost::system::in_place_value;
}

namespace {

asio::awaitable<Result<void>> read_into(JsonStringFinder& finder, asio::any_io_executor executor,
                                        net::Address address, std::string target,
                                        net::Duration limit, net::Cancellation& cancellation) {
  const auto end = std::chrono::steady_clock::now() + limit;
  net::HttpConnection connection(executor, address, &cancellation);
  net::HttpRequest request;
  request.target = target;
  const std::string what = "GET " + address.display() + target;
  const auto idle = std::min<net::Duration>(limit, timeouts::agent_call);
  const auto head = co_await connection.open(std::move(request), idle);
  if (!head) co_return head.error().during(what);
  if (head->status != 200) {
    co_return Error{kind_of_http_status(head->status),
                    what + ": HTTP " + std::to_string(head->status)};
  }
  std::string chunk(read_size, '\0');
  for (;;) {
    // The launch waits for this: no answer may drip for ever.
    const net::Duration left = end - std::chrono::steady_clock::now();
    const auto got = left > net::Duration(0) ? co_await connection.read_some(
                                                   chunk.data(), chunk.size(), std::min(idle, left))
                                             : Result<std::size_t>(Error{ErrorKind::timeout, {}});
    if (!got && got.error().kind == ErrorKind::timeout && left < idle) {
      co_return Error{ErrorKind::timeout, what + ": not read within " + net::limit_text(limit)};
    }
    if (!got) co_return got.error().during(what);
    if (*got == 0) break;
    const auto enough = finder.feed(std::string_view(chunk).substr(0, *got));
    if (!enough) co_return enough.error().during(what);
    if (*enough) co_return boost::system::in_place_value;
  }
  const auto finished = finder.finish();
  if (!finished) co_return finished.error().during(what);
  co_return boost::system::in_place_value;
}

}  // namespace

std::size_t keep_what_fits(std::vector<std::string>& hosts) {
  std::size_t size = 0;
  std::size_t kept = 0;
  for (; kept < hosts.size(); ++kept) {
    size += hosts[kept].size() + 1;
    if (size > seeds_limit) break;
  }
  const std::size_t dropped = hosts.size() - kept;
  hosts.resize(kept);
  return dropped;
}

asio::awaitable<Result<std::vector<std::string>>> cluster_hosts(asio::any_io_executor executor,
                                                                net::Address agent,
                                                                std::uint16_t master_port,
                                                                net::Cancellation& cancellation,
                                                                net::Duration limit) {
  JsonStringFinder master({"master_hostname"}, 1);
  const auto asked = co_await read_into(master, executor, agent, "/state", limit, cancellation);
  if (!asked) co_return asked.error();
  if (master.found().empty() || master.found().front().empty()) {
    co_return Error{ErrorKind::not_found, "the agent's /state names no master_hostname"};
  }
  net::Address address;
  address.host = master.found().front();
  address.port = master_port;
  address.tls = agent.tls;
  address.tls_context = agent.tls_context;
  JsonStringFinder hosts({"slaves", "hostname"}, hosts_limit);
  const auto listed = co_await read_into(hosts, executor, address, "/slaves", limit, cancellation);
  if (!listed) co_return listed.error();
  co_return hosts.found();
}

}  // namespace sidecar_executor::mesos
