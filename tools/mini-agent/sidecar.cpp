#include "sidecar.hpp"

#include <algorithm>

#include "state_endpoints.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

constexpr int kDraining = 4;
// Between the bytes of a state that drips: some seconds for a small one.
constexpr auto kDripPause = std::chrono::milliseconds(10);
const char* const kTime = "2026-01-02T03:04:05.123Z";

json::object service(const std::string& id, const std::string& image, const std::string& host,
                     int status) {
  const json::object port{
      {"Type", "tcp"}, {"Port", 31001}, {"ServicePort", 8080}, {"IP", "10.0.0.1"}};
  return {{"ID", id},         {"Name", "service-" + id},
          {"Image", image},   {"Created", "2026-01-02T03:04:05Z"},
          {"Hostname", host}, {"Ports", json::array{port}},
          {"Updated", kTime}, {"ProxyMode", "http"},
          {"Status", status}};
}

json::object server(const std::string& host, json::object services) {
  return {{"Name", host},
          {"Services", std::move(services)},
          {"LastUpdated", kTime},
          {"LastChanged", kTime}};
}

// Other hosts with 100 services each, as members of an object.
std::string other_hosts(std::size_t bytes) {
  std::string out;
  for (int n = 0; out.size() < bytes; ++n) {
    const std::string host = "other" + std::to_string(n) + ".example";
    json::object services;
    for (int i = 0; i < 100; ++i) {
      std::string id = std::to_string(n * 100 + i);
      id.insert(0, 12 - std::min<std::size_t>(12, id.size()), '0');
      services[id] = service(id, "web:1.2", host, 0);
    }
    out += json::serialize(json::value(host)) + ":" +
           json::serialize(server(host, std::move(services))) + ",";
  }
  return out;
}

HttpAnswer told(unsigned status, const char* reason, const std::string& message) {
  HttpAnswer answer = json_answer(json::serialize(json::object{{"Message", message}}));
  answer.status = status;
  answer.reason = reason;
  return answer;
}

}  // namespace

StandInSidecar::StandInSidecar(boost::asio::io_context& io, SidecarOptions options,
                               std::string host, const std::string& docker_host, Emit emit)
    : options_(std::move(options)),
      host_(std::move(host)),
      emit_(std::move(emit)),
      server_(io, [this](const CallRequest& request) { return answer(request); }),
      containers_(io, docker_host),
      bad_(!options_.bad_after),
      padding_(other_hosts(static_cast<std::size_t>(options_.pad_mb) * 1024 * 1024)) {}

unsigned short StandInSidecar::listen() {
  port_ = server_.listen(0);
  containers_.start();
  return port_;
}

std::string StandInSidecar::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/state.json";
}

void StandInSidecar::go_bad() { bad_ = true; }

void StandInSidecar::close() {
  containers_.stop();
  server_.close_listeners();
  server_.drop_connections();
}

HttpAnswer StandInSidecar::answer(const CallRequest& request) {
  HttpAnswer result;
  if (options_.hang) {
    result.silent = true;
    emit_("sidecar_silent", {{"call", request.method + " " + request.target}});
    return result;
  }
  if (options_.fail) {
    emit_("sidecar_refused", {{"call", request.method + " " + request.target}});
    return told(500, "Internal Server Error", "this Sidecar is broken");
  }
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (request.method == "GET" && (path == "/state.json" || path == "/api/state.json")) {
    return state();
  }
  const std::string before = "/api/services/", behind = "/drain";
  if (request.method == "POST" && path.starts_with(before) && path.ends_with(behind) &&
      path.size() > before.size() + behind.size()) {
    return drain(path.substr(before.size(), path.size() - before.size() - behind.size()));
  }
  return not_found();
}

int StandInSidecar::next_status() {
  if (!bad_) return 0;
  return options_.statuses[bad_polls_++ % options_.statuses.size()];
}

HttpAnswer StandInSidecar::state() {
  const int status = next_status();
  std::string body = document(status);
  // Before any service: half of it could hold ours, when others run on the daemon.
  if (options_.truncate) body.resize(std::min(body.size() / 2, body.find("\"Services\"")));
  emit_("sidecar_polled",
        {{"n", ++polls_}, {"status", status}, {"services", containers_.known().size()}});
  if (options_.html) return html_answer();
  HttpAnswer answer = json_answer(std::move(body));
  return options_.drip ? dripping(std::move(answer), kDripPause) : answer;
}

// Our host last: the whole document has to be read.
std::string StandInSidecar::document(int status) {
  json::object services;
  for (const auto& [id, image] : containers_.known()) {
    services[id] = service(id, image, host_, drained_.contains(id) ? kDraining : status);
  }
  return "{\"ClusterName\":\"default\",\"Hostname\":" + json::serialize(json::value(host_)) +
         ",\"LastChanged\":\"" + kTime + "\",\"Servers\":{" + padding_ +
         json::serialize(json::value(host_)) + ":" +
         json::serialize(server(host_, std::move(services))) + "}}";
}

HttpAnswer StandInSidecar::drain(const std::string& id12) {
  if (options_.drain_status != 0) {
    emit_("sidecar_refused", {{"call", "drain " + id12}});
    return told(options_.drain_status, "Status", "this Sidecar was told to say so");
  }
  if (!containers_.known().contains(id12)) {
    emit_("sidecar_drain_unknown", {{"id", id12}});
    return told(404, "Not Found", "no such service: " + id12);
  }
  drained_.insert(id12);
  emit_("sidecar_drained", {{"id", id12}});
  return told(202, "Accepted", "service " + id12 + " set to DRAINING");
}

}  // namespace mini_agent
