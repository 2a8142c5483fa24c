#include "call_validation.hpp"

#include <cctype>
#include <string_view>

#include "call_schema.hpp"
#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kProtobuf = "application/x-protobuf";

std::string percent_decoded(std::string_view text) {
  const auto hex = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string_view id_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_object() ? text_at(value->get_object(), "value") : std::string_view();
}

Verdict invalid(const std::string& why) {
  return refusal(400, "Failed to validate Executor::Call: " + why);
}

std::optional<std::string> check_status_error(const json::object& status) {
  const json::value* found = status.if_contains("check_status");
  if (found == nullptr) return std::nullopt;
  const json::object& check = found->as_object();
  const std::string_view type = text_at(check, "type");
  if (type.empty()) return "CheckStatusInfo must specify 'type'";
  const std::string_view part = type == "COMMAND" ? "command"
                                : type == "HTTP"  ? "http"
                                : type == "TCP"   ? "tcp"
                                                  : "";
  if (part.empty()) return "'" + std::string(type) + "' is not a valid check's status type";
  if (check.contains(part)) return std::nullopt;
  return "Expecting '" + std::string(part) + "' to be set for " + std::string(type) +
         " check's status";
}

std::optional<std::string> status_error(const json::object& status, std::string_view framework,
                                        std::string_view executor) {
  const std::string who =
      " from executor " + std::string(executor) + " of framework " + std::string(framework);
  if (!status.contains("uuid")) return "Expecting 'uuid' to be present";
  if (decode_base64(text_at(status, "uuid")).bytes.size() != 16) return "Not a valid UUID";
  if (status.contains("executor_id") && id_at(status, "executor_id") != executor) {
    return "ExecutorID in Call: " + std::string(executor) +
           " does not match ExecutorID in TaskStatus: " + std::string(id_at(status, "executor_id"));
  }
  if (text_at(status, "source") != "SOURCE_EXECUTOR") {
    return "Received Call" + who + " with invalid source, expecting 'SOURCE_EXECUTOR'";
  }
  if (text_at(status, "state") == "TASK_STAGING") {
    return "Received TASK_STAGING" + who + " which is not allowed";
  }
  return check_status_error(status);
}

std::optional<std::string> call_error(const json::object& call) {
  const std::string_view type = text_at(call, "type");
  if (type.empty()) return "Expecting 'type' to be present";
  for (const std::string_view part : {"subscribe", "update", "message"}) {
    std::string upper(part);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (type == upper && !call.contains(part)) {
      return "Expecting '" + std::string(part) + "' to be present";
    }
  }
  if (type != "UPDATE") return std::nullopt;
  return status_error(call.at("update").at("status").as_object(), id_at(call, "framework_id"),
                      id_at(call, "executor_id"));
}

// The agent answers in JSON when Accept is absent or allows it, also when protobuf comes first.
bool accepts_json(const std::optional<std::string>& accept) {
  if (!accept) return true;
  for (const std::string_view type : {"application/json", "application/*", "*/*"}) {
    if (accept->find(type) != std::string::npos) return true;
  }
  return false;
}

Verdict unauthorized() {
  Verdict verdict = refusal(401);
  verdict.header_name = "WWW-Authenticate";
  verdict.header_value = "Bearer realm=\"mesos-agent-executor\"";
  return verdict;
}

Verdict with_type(Verdict verdict, const std::string& type) {
  verdict.call_type = type;
  return verdict;
}

// For the report only.
std::string type_in(const std::string& body) {
  const ParsedJson parsed = parse_as_agent(body);
  const auto* object = parsed.error.empty() ? parsed.value.if_object() : nullptr;
  return object ? std::string(text_at(*object, "type")) : std::string();
}

Verdict parse_call(const CallRequest& request) {
  if (!request.content_type) return refusal(400, "Expecting 'Content-Type' to be present");
  // This agent speaks JSON only; a real one would take a protobuf body here.
  if (*request.content_type == kProtobuf) {
    return refusal(400, "Failed to parse body into Call protobuf");
  }
  if (*request.content_type != kJson) {
    return refusal(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
  }
  const ParsedJson parsed = parse_as_agent(request.body);
  if (!parsed.error.empty()) {
    return refusal(400, "Failed to parse body into JSON: " + parsed.error);
  }
  ConvertedCall converted = convert_call(parsed.value);
  Verdict verdict;
  if (!converted.error.empty()) {
    verdict = refusal(400, "Failed to convert JSON into Call protobuf: " + converted.error);
  } else if (const auto error = call_error(converted.call)) {
    verdict = invalid(*error);
  }
  if (const auto* object = parsed.value.if_object()) verdict.call_type = text_at(*object, "type");
  verdict.call = std::move(converted.call);
  return verdict;
}

}  // namespace

Endpoint endpoint_of(const std::string& target, bool over_domain_socket) {
  std::string path = percent_decoded(target.substr(0, target.find('?')));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string prefix = "/slave(1)";
  const bool delegated = path.starts_with(prefix + "/");
  if (delegated) path.erase(0, prefix.size());
  const bool executor = path == "/api/v1/executor";
  if (over_domain_socket) {
    // Only the executor API is served there, and only below /slave(1) (06i-domain-socket-probes).
    return executor && delegated ? Endpoint::Executor : Endpoint::Forbidden;
  }
  if (executor) return Endpoint::Executor;
  if (path == "/state") return Endpoint::State;
  if (path == "/health") return Endpoint::Health;
  return Endpoint::NotFound;
}

Verdict refusal(unsigned status, std::string text) {
  Verdict verdict;
  verdict.status = status;
  verdict.reason = reason_phrase(status);
  verdict.text = text.empty() ? std::to_string(status) + " " + verdict.reason + "." : text;
  return verdict;
}

std::string reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 412:
      return "Precondition Failed";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

Verdict judge_call(const CallRequest& request, const AgentView& agent) {
  if (agent.token && request.authorization != "Bearer " + *agent.token) {
    return with_type(unauthorized(), type_in(request.body));
  }
  if (agent.starting) {
    return with_type(refusal(503, "Agent has not finished recovery"), type_in(request.body));
  }
  if (request.method != "POST") {
    Verdict verdict = refusal(405,
                              "405 Method Not Allowed. Expecting one of { 'POST' }, but "
                              "received '" +
                                  request.method + "'.");
    verdict.header_name = "Allow";
    verdict.header_value = "POST";
    return verdict;
  }
  Verdict verdict = parse_call(request);
  if (!verdict.accepted()) return verdict;
  const std::string type = verdict.call_type;
  if (type == "SUBSCRIBE") {
    if (!accepts_json(request.accept)) {
      return with_type(refusal(406,
                               "Expecting 'Accept' to allow 'application/x-protobuf' or "
                               "'application/json'"),
                       type);
    }
  } else if (agent.recovering) {
    return with_type(refusal(503, "Agent has not finished recovery"), type);
  }
  if (type == "HEARTBEAT") return verdict;  // answered before anybody looks at the ids (03 c54)
  if (!agent.framework_known || id_at(verdict.call, "framework_id") != agent.framework_id) {
    return with_type(refusal(400, "Framework cannot be found"), type);
  }
  if (id_at(verdict.call, "executor_id") != agent.executor_id) {
    return with_type(refusal(400, "Executor cannot be found"), type);
  }
  if (type != "SUBSCRIBE" && !agent.subscribed) {
    return with_type(refusal(403, "Executor is not subscribed"), type);
  }
  if (type == "SUBSCRIBE") {
    verdict.status = 200;
    verdict.reason = "OK";
  } else if (type == "UNKNOWN") {
    return with_type(refusal(501), type);
  }
  return verdict;
}

}  // namespace mini_agent
