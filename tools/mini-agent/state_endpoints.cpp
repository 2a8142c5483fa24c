#include "state_endpoints.hpp"

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

json::array capabilities() {
  return {"MULTI_ROLE",        "HIERARCHICAL_ROLE",   "RESERVATION_REFINEMENT",
          "RESOURCE_PROVIDER", "RESIZE_VOLUME",       "AGENT_OPERATION_FEEDBACK",
          "AGENT_DRAINING",    "TASK_RESOURCE_LIMITS"};
}

json::object resources() {
  return {
      {"disk", 8192.0}, {"mem", 8192.0}, {"gpus", 0.0}, {"cpus", 8.0}, {"ports", "[31000-32000]"}};
}

std::string pid(unsigned short port) { return "slave(1)@127.0.0.1:" + std::to_string(port); }

std::string slave_hostname(const Cluster& cluster, int index) {
  return index == 0 ? cluster.agent_hostname : "agent" + std::to_string(index + 1) + ".example";
}

json::object slave(const Cluster& cluster, int index) {
  std::string id = cluster.agent_id;
  if (index > 0) id = id.substr(0, id.rfind("-S")) + "-S" + std::to_string(index);
  return {{"id", id},
          {"hostname", slave_hostname(cluster, index)},
          {"port", cluster.agent_port},
          {"attributes", json::object()},
          {"pid", pid(cluster.agent_port)},
          {"registered_time", 1795378283.5143218},
          {"resources", resources()},
          {"used_resources", resources()},
          {"offered_resources", json::object()},
          {"reserved_resources", json::object()},
          {"unreserved_resources", resources()},
          {"active", true},
          {"deactivated", false},
          {"version", "1.11.0"},
          {"capabilities", capabilities()},
          {"reserved_resources_full", json::object()},
          {"offered_resources_full", json::array()}};
}

std::string slaves_body(const Cluster& cluster) {
  json::array slaves;
  for (int i = 0; i < cluster.slaves; ++i) slaves.push_back(slave(cluster, i));
  return print_as_agent(json::object{{"slaves", slaves}, {"recovered_slaves", json::array()}});
}

std::string master_state(const Cluster& cluster) {
  const std::string where = "master@127.0.0.1:" + std::to_string(cluster.master_port);
  const json::object leader{
      {"pid", where}, {"port", cluster.master_port}, {"hostname", cluster.master_hostname}};
  return print_as_agent(json::object{{"version", "1.11.0"},
                                     {"hostname", cluster.master_hostname},
                                     {"leader", where},
                                     {"leader_info", leader}});
}

}  // namespace

std::string agent_state(const Cluster& cluster) {
  json::object state{{"version", "1.11.0"},
                     {"start_time", 1795378283.4865012},
                     {"id", cluster.agent_id},
                     {"pid", pid(cluster.agent_port)},
                     {"hostname", cluster.agent_hostname},
                     {"capabilities", capabilities()},
                     {"resources", resources()},
                     {"attributes", json::object()}};
  // On a busy agent most of the body stands before the name that is looked for.
  if (cluster.state_padding_mb > 0) {
    json::array padding;
    for (long i = 0; i < cluster.state_padding_mb * 1024; ++i) {
      padding.push_back(json::object{{"id", std::to_string(i)}, {"pad", std::string(1000, 'x')}});
    }
    state["frameworks"] = std::move(padding);
  }
  state["master_hostname"] = cluster.master_hostname;
  state["flags"] = json::object{{"hostname", cluster.agent_hostname}, {"port", "5051"}};
  state["completed_frameworks"] = json::array();
  return print_as_agent(state);
}

HttpAnswer json_answer(std::string body) {
  HttpAnswer answer;
  answer.headers = {{"Content-Type", "application/json"}};
  answer.body = std::move(body);
  return answer;
}

HttpAnswer html_answer() {
  HttpAnswer answer;
  answer.headers = {{"Content-Type", "text/html"}};
  answer.body = "<html><body><h1>It works!</h1></body></html>";
  return answer;
}

HttpAnswer dripping(HttpAnswer answer, Nanoseconds pause) {
  answer.style = {.merge = false, .drip = true, .drip_pause = pause};
  answer.stream = [body =
                       std::exchange(answer.body, {})](const std::shared_ptr<EventStream>& stream) {
    stream->send(body);
    stream->finish();
  };
  return answer;
}

HttpAnswer not_found() {
  HttpAnswer answer;
  answer.status = 404;
  answer.reason = "Not Found";
  answer.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  answer.body = "404 Not Found.";
  return answer;
}

HttpAnswer answer_as_master(const CallRequest& request, const Cluster& cluster) {
  std::string path = request.target.substr(0, request.target.find('?'));
  if (path.starts_with("/master/")) path.erase(0, 7);
  if (path == "/slaves") return json_answer(slaves_body(cluster));
  if (path == "/state") return json_answer(master_state(cluster));
  HttpAnswer answer;
  if (path == "/health") return answer;
  if (path != "/redirect") return not_found();
  answer.status = 307;
  answer.reason = "Temporary Redirect";
  answer.headers = {
      {"Location", "//" + cluster.master_hostname + ":" + std::to_string(cluster.master_port)}};
  return answer;
}

}  // namespace mini_agent
