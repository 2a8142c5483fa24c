// JSON as a Mesos agent reads and writes it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace mini_agent {

struct ParsedJson {
  boost::json::value value;
  std::string error;  // empty = parsed
};

// Accepts and refuses what the agent's parser (picojson) does, with its words: bytes that are not
// UTF-8 pass, raw control characters and lone surrogates do not, of equal keys the last one wins.
ParsedJson parse_as_agent(std::string_view text);

// Numbers as the agent prints them: doubles always with a point ("32.0"), never 3.2E1.
std::string print_as_agent(const boost::json::value& value);

bool is_valid_utf8(std::string_view text);

}  // namespace mini_agent
