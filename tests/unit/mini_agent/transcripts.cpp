#include "transcripts.hpp"

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <optional>

#include "call_schema.hpp"

namespace mini_agent_tests {
namespace {

namespace json = boost::json;

struct Raw {
  std::string direction, connection, label, text;
};

std::vector<Raw> read_lines(const std::string& name) {
  std::vector<Raw> result;
  std::ifstream file(std::string(SX_SOURCE_DIR "/tests/golden/transcripts/") + name);
  for (std::string line; std::getline(file, line);) {
    const json::object entry = json::parse(line).as_object();
    const auto text = [&entry](const char* key) {
      const auto* value = entry.if_contains(key);
      return value && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    Raw raw{text("dir"), text("conn"), text("label"), text("text")};
    if (entry.contains("b64")) raw.text = mini_agent::decode_base64(text("b64")).bytes;
    result.push_back(raw);
  }
  return result;
}

struct Http {
  std::string first_line, body;
  std::map<std::string, std::string> headers;

  std::optional<std::string> header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::nullopt : std::optional(found->second);
  }
};

Http parse_http(const std::string& text) {
  Http http;
  const auto end = text.find("\r\n\r\n");
  const std::string head = text.substr(0, end);
  if (end != std::string::npos) http.body = text.substr(end + 4);
  std::size_t at = head.find("\r\n");
  http.first_line = head.substr(0, at);
  while (at != std::string::npos) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string line = head.substr(at + 2, next - at - 2);
    if (const auto colon = line.find(": "); colon != std::string::npos) {
      http.headers[line.substr(0, colon)] = line.substr(colon + 2);
    }
    at = next;
  }
  if (http.header("Transfer-Encoding") == "chunked" && !http.body.empty()) {
    const auto size = std::stoul(http.body, nullptr, 16);
    http.body = http.body.substr(http.body.find("\r\n") + 2, size);
  }
  return http;
}

mini_agent::CallRequest to_request(const Http& http) {
  mini_agent::CallRequest request;
  const auto space = http.first_line.find(' ');
  request.method = http.first_line.substr(0, space);
  request.target =
      http.first_line.substr(space + 1, http.first_line.find(' ', space + 1) - space - 1);
  request.content_type = http.header("Content-Type");
  request.accept = http.header("Accept");
  request.authorization = http.header("Authorization");
  request.body = http.body;
  return request;
}

}  // namespace

std::vector<Exchange> read_exchanges(const std::string& name) {
  std::vector<Exchange> result;
  std::map<std::string, std::size_t> open;  // by connection: the exchange without an answer
  for (const Raw& raw : read_lines(name)) {
    if (raw.direction == ">" && raw.text.find("HTTP/1.1\r\n") != std::string::npos) {
      Http http = parse_http(raw.text);
      Exchange exchange;
      exchange.label = raw.label;
      if (const auto length = http.header("Content-Length")) {
        exchange.cut = http.body.size() < std::stoul(*length);
        http.body.resize(std::min(http.body.size(), std::size_t{std::stoul(*length)}));
      }
      exchange.request = to_request(http);
      open[raw.connection] = result.size();
      result.push_back(exchange);
    } else if (raw.direction == "<" && raw.text.starts_with("HTTP/1.1 ") &&
               open.contains(raw.connection)) {
      const Http http = parse_http(raw.text);
      Exchange& exchange = result[open[raw.connection]];
      open.erase(raw.connection);
      exchange.status = static_cast<unsigned>(std::stoul(http.first_line.substr(9)));
      if (const auto length = http.header("Content-Length")) {
        exchange.body = http.body.substr(0, std::stoul(*length));
      }
      exchange.allow = http.header("Allow").value_or("");
    }
  }
  std::erase_if(result, [](const Exchange& e) { return e.status == 0; });
  return result;
}

std::vector<std::string> read_received(const std::string& name) {
  std::vector<std::string> result;
  for (const Raw& raw : read_lines(name)) {
    if (raw.direction == "<") result.push_back(raw.text);
  }
  return result;
}

}  // namespace mini_agent_tests
