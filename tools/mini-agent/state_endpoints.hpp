// The bodies of the agent's /state and the master's /slaves and /state (07-state-endpoints.json).
#pragma once

#include <string>

#include "call_validation.hpp"
#include "http_server.hpp"

namespace mini_agent {

struct Cluster {
  std::string agent_id, agent_hostname;
  unsigned short agent_port = 0;
  std::string master_hostname;
  unsigned short master_port = 0;
  int slaves = 1;
  long state_padding_mb = 0;
};

std::string agent_state(const Cluster& cluster);
HttpAnswer answer_as_master(const CallRequest& request, const Cluster& cluster);
HttpAnswer json_answer(std::string body);
HttpAnswer not_found();
HttpAnswer html_answer();  // a proxy's page
HttpAnswer dripping(HttpAnswer answer, Nanoseconds pause);

}  // namespace mini_agent
