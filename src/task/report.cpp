#include "task/report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "base/pretty_json.hpp"
#include "base/stamp.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "task/post_mortem.hpp"

namespace sidecar_executor::task {
namespace json = boost::json;

namespace {

constexpr int format_version = 1;
constexpr std::size_t most_health = 20;

std::int64_t milliseconds(Nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

/// Members without a value are left out: nobody has to tell "" from "not yet known".
void put(json::object& object, std::string_view name, const std::string& value) {
  if (!value.empty()) object[name] = one_line(value, 2000);
}

json::array phases_of(const Phases& phases) {
  json::array out;
  for (const auto& phase : phases.done()) {
    out.push_back(json::object{{"name", phase.name},
                               {"began", format_utc(phase.began)},
                               {"milliseconds", milliseconds(phase.took)}});
  }
  return out;
}

json::array health_of(const std::vector<HealthChange>& changes) {
  json::array out;
  for (const auto& change : changes) {
    out.push_back(json::object{{"healthy", change.healthy}, {"text", change.text}});
  }
  return out;
}

json::object exit_of(const ContainerEnd& end) {
  json::object out;
  out["code"] = end.exit_code ? json::value(*end.exit_code) : json::value(nullptr);
  out["oom_killed"] = end.oom_killed;
  if (end.removed) out["removed"] = true;
  if (end.ran_for) out["ran_for_milliseconds"] = milliseconds(*end.ran_for);
  if (end.finished_at) out["finished"] = format_utc(*end.finished_at);
  put(out, "docker_error", end.docker_error);
  return out;
}

json::object outcome_of(const Report& report) {
  const Outcome& outcome = *report.outcome;
  json::object out;
  out["state"] = mesos::to_string(outcome.state);
  put(out, "reason", std::string(mesos::to_string(outcome.reason)));
  put(out, "message", outcome.message);
  if (outcome.healthy) out["healthy"] = *outcome.healthy;
  put(out, "look_at", likely_cause(report));
  return out;
}

json::object container_of(const Report& report) {
  json::object out;
  put(out, "id", report.container_id);
  put(out, "image", report.image);
  put(out, "image_id", report.image_id);
  put(out, "image_digest", report.image_digest);
  json::object limits;
  for (const auto& [name, value] : report.limits) limits[name] = value;
  if (!limits.empty()) out["limits"] = std::move(limits);
  return out;
}

}  // namespace

void add_health(Report& report, HealthChange change) {
  if (report.health.size() == most_health) report.health.erase(report.health.begin());
  report.health.push_back(std::move(change));
}

std::string report_json(const Report& report, WallTime now, int pid) {
  json::object out;
  out["format"] = format_version;
  out["written"] = format_utc(now);
  out["executor"] =
      json::object{{"version", SX_VERSION}, {"pid", pid}, {"began", format_utc(report.began)}};
  json::object task;
  put(task, "id", report.task_id);
  put(task, "name", report.task_name);
  out["task"] = std::move(task);
  put(out, "state", report.state);
  if (const auto& doing = report.phases.doing(); !doing.name.empty()) {
    out["doing"] = doing.name;
    out["doing_since"] = format_utc(doing.began);
  }
  out["container"] = container_of(report);
  out["phases"] = phases_of(report.phases);
  if (!report.health.empty()) out["health"] = health_of(report.health);
  if (report.end) out["exit"] = exit_of(*report.end);
  if (report.outcome) out["outcome"] = outcome_of(report);
  put(out, "logs", report.log_note);
  put(out, "last_error", report.last_error);
  return pretty_json(out) + "\n";
}

}  // namespace sidecar_executor::task
