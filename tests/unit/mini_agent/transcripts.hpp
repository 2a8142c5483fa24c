// Requests and answers as they were on the wire between an executor and a real Mesos agent.
#pragma once

#include <string>
#include <vector>

#include "call_validation.hpp"

namespace mini_agent_tests {

struct Exchange {
  std::string label;
  mini_agent::CallRequest request;
  unsigned status = 0;
  std::string body;   // of the answer
  std::string allow;  // its Allow header
  bool cut = false;   // the transcript holds only a part of the request
};

// Empty when the file cannot be read.
std::vector<Exchange> read_exchanges(const std::string& name);
// All raw texts that the executor received, in order.
std::vector<std::string> read_received(const std::string& name);

}  // namespace mini_agent_tests
