// Faults between agent and executor, see faults.hpp.
#include "agent.hpp"
#include "recordio.hpp"

namespace mini_agent {
namespace {

// The executor's limit for a record is 64 MiB.
constexpr std::size_t kOversized = 64UL * 1024 * 1024 + 1;

std::string oversized_event() {
  std::string event = R"({"type":"HEARTBEAT","padding":")";
  event.resize(kOversized - 2, 'x');
  return event + "\"}";
}

}  // namespace

void MiniAgent::inject_faults() {
  const Faults& faults = options_.faults;
  const auto tell = [this](const char* what) { emit("fault", {{"what", what}}); };
  if (stream_ && faults.garbage_record) {
    tell("garbage record");
    stream_->send(record("}this is no JSON{"));
  }
  if (stream_ && faults.garbage_length) {
    tell("garbage length");
    stream_->send("1a7x\n{\"type\":\"HEARTBEAT\"}");
  }
  if (stream_ && faults.oversized_record) {
    tell("oversized record");
    stream_->send(record(oversized_event()));
  }
  if (faults.disconnect) {
    tell("disconnect");
    end_stream();
  }
  if (!faults.silent) return;
  tell("silent");
  silent_ = true;
  if (faults.silent_for.count() == 0) return;
  after(faults.silent_for, [this] {
    silent_ = false;
    emit("fault", {{"what", "no longer silent"}});
  });
}

void MiniAgent::end_stream() {
  if (stream_) stream_->abort();
  if (options_.faults.disconnect_every) {
    after(*options_.faults.disconnect_every, [this] { end_stream(); });
  }
}

void MiniAgent::refuse_for_a_while() {
  if (options_.faults.refuse.count() == 0) return;
  agent_server_.close_listeners();
  emit("refusing");
  after(options_.faults.refuse, [this] {
    if (down_) return;
    agent_server_.listen(cluster_.agent_port);
    if (!options_.domain_socket.empty()) agent_server_.listen_unix(options_.domain_socket);
    emit("listening_again");
  });
}

void MiniAgent::answer_503_for_a_while() {
  if (options_.faults.answer_503.count() == 0) return;
  view_.starting = true;
  after(options_.faults.answer_503, [this] { view_.starting = false; });
}

// As if the agent were killed: everything of it is gone at once.
void MiniAgent::go_down() {
  down_ = true;
  emit("agent_down");
  stream_.reset();
  agent_server_.close_listeners();
  agent_server_.drop_connections();
  view_.subscribed = false;
  if (!options_.checkpoint) {
    view_.framework_known = false;
    report_from_agent("TASK_LOST", "Agent " + identity_.hostname + " disconnected",
                      "REASON_AGENT_DISCONNECTED", "SOURCE_MASTER");
  }
  after(options_.faults.down, [this] { come_back(); });
}

void MiniAgent::come_back() {
  down_ = false;
  agent_server_.listen(cluster_.agent_port);
  if (!options_.domain_socket.empty()) agent_server_.listen_unix(options_.domain_socket);
  emit("agent_up");
  answer_503_for_a_while();
  if (!options_.checkpoint) return;
  view_.recovering = true;
  back_in_time_ = false;
  after(options_.faults.reregistration_timeout, [this] {
    view_.recovering = false;
    if (back_in_time_) return emit("recovered");
    report_from_agent(
        "TASK_GONE",
        "Executor did not reregister within " + to_mesos(options_.faults.reregistration_timeout),
        "REASON_EXECUTOR_REREGISTRATION_TIMEOUT");
    kill_executor("it did not subscribe in time after the agent's restart");
  });
}

}  // namespace mini_agent
