// Decides, without I/O, what a real agent answers to a request.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>

namespace mini_agent {

struct CallRequest {
  std::string method;
  std::string target;
  std::optional<std::string> content_type;
  std::optional<std::string> accept;
  std::optional<std::string> authorization;
  std::map<std::string, std::string> headers;  // names in lower case; of equal ones the last
  std::string body;
  bool over_domain_socket = false;
};

struct AgentView {
  std::string framework_id;
  std::string executor_id;
  bool framework_known = true;  // false after a restart without checkpointing
  bool subscribed = false;
  bool starting = false;    // nothing is answered but 503
  bool recovering = false;  // SUBSCRIBE works, all other calls are answered 503
  std::optional<std::string> token;
};

struct Verdict {
  unsigned status = 202;
  std::string reason = "Accepted";
  std::string text;                       // body of a refusal
  std::string header_name, header_value;  // Allow or WWW-Authenticate
  std::string call_type;                  // SUBSCRIBE, UPDATE, ... as far as it could be read
  boost::json::object call;               // the converted call when status is 200 or 202
  bool accepted() const { return status < 300; }
};

enum class Endpoint { Executor, State, Health, Forbidden, NotFound };

Endpoint endpoint_of(const std::string& target, bool over_domain_socket);

Verdict refusal(unsigned status, std::string text = {});
std::string reason_phrase(unsigned status);  // of HTTP
Verdict judge_call(const CallRequest& request, const AgentView& agent);

}  // namespace mini_agent
