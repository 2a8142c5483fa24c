// One record of the agent's stream, and what the executor sends back of it.
#include <boost/json.hpp>

#include "base/text.hpp"
#include "fuzz/fuzz_target.hpp"
#include "mesos/messages.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

/// As the agent reads what we send.
json::value sent(const std::string& text) {
  json::parse_options options;
  options.max_depth = 100;
  options.allow_invalid_utf8 = true;  // ids go back as they came
  boost::system::error_code failed;
  auto value = json::parse(text, failed, {}, options);
  require(!failed, "what is sent is JSON");
  return value;
}

void check_status(std::string_view input) {
  const sx::mesos::Identity who{"framework", "executor"};
  sx::mesos::StatusUpdate update;
  update.task_id = "task";
  update.state = sx::mesos::TaskState::failed;
  update.message = input;
  update.data = input;
  const auto status = sx::mesos::encode_status(who, update, "AAAAAAAAAAAAAAAAAAAAAA==", 1.5);
  require(sx::to_utf8(status) == status, "a status is UTF-8, whatever its message was");
  const auto object = sent(status).as_object();
  if (!input.empty()) require(object.at("message").as_string().size() <= 4096, "message, clipped");
  const auto smaller = sx::mesos::smaller_status(status);
  require(sx::mesos::smaller_status(smaller) == smaller, "made smaller once");
  require(!sent(smaller).as_object().contains("data"), "smaller: no data");
  require(sent(smaller).as_object().at("state") == "TASK_FAILED", "smaller means the same");
  sent(sx::mesos::encode_update(who, status));
  sent(sx::mesos::encode_subscribe(who, {}, {status, smaller}));
}

struct Check {
  void operator()(const sx::mesos::Launch& launch) const {
    require(launch.task.has_value() == launch.problem.empty(), "a task, or what is wrong with it");
    const auto& text = launch.task ? launch.task->json : launch.json;
    sent(text);
    if (launch.task) require(launch.task->task_id == launch.task_id, "one id");
    sent(sx::mesos::encode_subscribe({"f", "e"}, {text}, {}));
  }
  void operator()(const sx::mesos::LaunchGroup& group) const {
    require(group.task_ids.size() == group.jsons.size(), "a text for each id");
    for (const auto& text : group.jsons) sent(text);
  }
  void operator()(const sx::mesos::Kill& kill) const {
    if (kill.grace_period) require(kill.grace_period->count() >= 0, "no negative grace");
  }
  template <typename Other>
  void operator()(const Other&) const {}
};

}  // namespace

SX_FUZZ_TARGET(events) {
  const auto event = sx::mesos::parse_event(input);
  if (event) {
    std::visit(Check{}, *event);
  } else {
    require(event.error().kind == sx::ErrorKind::protocol, "errors are the protocol's");
    require(!event.error().message.empty(), "they say something");
  }
  sx::mesos::parse_destroy_message(input, "task");
  check_status(input);
  // Whatever stands in place of a status: it stays, or becomes smaller JSON.
  const auto smaller = sx::mesos::smaller_status(input);
  if (smaller != input) sent(smaller);
}
