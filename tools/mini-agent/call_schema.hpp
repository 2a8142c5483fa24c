// What the agent's JSON to protobuf conversion accepts in an executor call (mesos/v1/executor.proto
// and the parts of mesos.proto that an executor sends).
#pragma once

#include <boost/json.hpp>
#include <string>

namespace mini_agent {

struct ConvertedCall {
  // As protobuf would hold it: nulls, unknown fields and unknown optional enums are gone, numbers
  // and booleans given as strings are numbers and booleans.
  boost::json::object call;
  std::string error;  // the agent's words; empty = converted
};

ConvertedCall convert_call(const boost::json::value& body);

// The agent's base64: only the standard alphabet, everything after the first '=' is ignored.
struct DecodedBase64 {
  std::string bytes;
  std::string error;
};
DecodedBase64 decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace mini_agent
