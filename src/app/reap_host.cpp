#include "app/reap_host.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iomanip>
#include <ostream>

#include "app/process_facts.hpp"
#include "base/text.hpp"
#include "docker/container_spec.hpp"
#include "docker/inspect.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::app {
namespace {

/// A host that lost all its executors has hundreds to stop, each with its grace period.
constexpr int at_once = 16;

std::string count(int number, const char* of_what) {
  return std::to_string(number) + " " + of_what;
}

void tell_its_end(Candidate& to, const docker::ContainerSummary& listed,
                  const std::string& document) {
  const auto state = docker::parse_inspect(document);
  if (!state) return;
  to.state = state->status;
  const auto now = std::chrono::system_clock::now();
  if (state->ended() && state->finished_at) to.ended_for = now - *state->finished_at;
  if (to.state == "created") to.ended_for = now - listed.created;
}

}  // namespace

asio::awaitable<void> HostReaper::run() {
  auto answer = co_await engine_.negotiate();
  Result<std::vector<docker::ContainerSummary>> found = std::vector<docker::ContainerSummary>();
  if (answer) {
    found = co_await engine_.list(filters(), options_.older_than.has_value());
  } else {
    found = std::move(answer).error();
  }
  if (!found) {
    no_answer_ = true;
    out_ << "Docker cannot be asked for containers, DOCKER_HOST is " << engine_.address().display()
         << ": " << found.error().message << "\n";
    co_return;
  }
  // Only now: whoever started one of these containers was there before it.
  HostFacts host = read_host_facts();
  host.docker_is_local = engine_.is_local();
  for (const auto& container : *found) {
    Candidate candidate = candidate_of(container);
    if (options_.older_than && !still_runs(candidate)) {
      // The list does not say when. One that went away meanwhile is left alone, having no end.
      const auto document = co_await engine_.inspect(candidate.id);
      if (document) tell_its_end(candidate, container, *document);
    }
    take(std::move(candidate), host);
  }
  const auto executor = co_await asio::this_coro::executor;
  for (int i = 0; i < at_once; ++i) {
    ++workers_;
    net::spawn(executor, act());
  }
}

std::string HostReaper::filters() const {
  boost::json::array labels{"io.sidecar-executor.pid"};
  const auto only = [&labels](const char* label, const std::string& value) {
    if (!value.empty()) labels.emplace_back("io.sidecar-executor." + (label + ("=" + value)));
  };
  only("task-id", options_.task_id);
  only("sandbox", options_.sandbox);
  only("executor-id", options_.executor_id);
  only("framework-id", options_.framework_id);
  return boost::json::serialize(boost::json::object{{"label", std::move(labels)}});
}

void HostReaper::take(Candidate container, const HostFacts& host) {
  Item item{std::move(container), {}};
  item.judgement = judge(item.container, docker::container_name(item.container.task_id), host,
                         {options_.older_than});
  switch (item.judgement.verdict) {
    case Verdict::leave:
      ++left_;
      if (dry_run() || !options_.sandbox.empty()) say("leave", item);
      return;
    case Verdict::unknown:
      ++unknown_;
      if (still_runs(item.container)) unknown_runs_ = true;
      say("unknown", item);
      return;
    case Verdict::stop:
      if (options_.stop) break;
      ++to_stop_;
      return say("would stop", item);
    case Verdict::remove:
      if (options_.remove) break;
      ++to_remove_;
      return say("would remove", item);
  }
  to_do_.push_back(std::move(item));
}

asio::awaitable<void> HostReaper::act() {
  while (next_ < to_do_.size()) {
    const Item& item = to_do_[next_++];
    const std::string& id = item.container.id;
    const bool stop = item.judgement.verdict == Verdict::stop;
    std::string problem;
    if (stop) {
      const auto stopped = co_await stop_or_kill(engine_, id, grace_);
      if (!stopped) problem = "; not stopped, it may still run: " + stopped.error().message;
    } else {
      // Never by force: what was started again meanwhile is somebody's.
      const auto removed = co_await engine_.remove(id, false);
      if (!removed) problem = "; not removed: " + removed.error().message;
    }
    ++(!problem.empty() ? failed_ : stop ? stopped_ : removed_);
    say(!problem.empty() ? "FAILED" : stop ? "stopped" : "removed", item, problem);
  }
  --workers_;
}

void HostReaper::say(const char* what, const Item& item, const std::string& more) {
  const auto& container = item.container;
  const std::string task =
      container.task_id.empty() ? container.name : one_line(container.task_id, 200);
  out_ << std::left << std::setw(12) << what << "  " << container.id.substr(0, 12) << "  " << task
       << "  " << item.judgement.why << more << std::endl;
}

/// What was done, or what would be: `2 stopped, 1 left alone, 1 FAILED`.
std::string HostReaper::summary() const {
  std::string text = dry_run() ? "dry run, nothing was done: " : "";
  if (options_.stop) {
    text += count(stopped_, "stopped, ");
  } else {
    text += count(to_stop_, to_stop_ > 0 ? "to stop (add --stop), " : "to stop, ");
  }
  if (options_.remove) {
    text += count(removed_, "removed, ");
  } else if (options_.older_than) {
    text += count(to_remove_, to_remove_ > 0 ? "to remove (add --remove), " : "to remove, ");
  }
  text += count(left_, "left alone");
  if (unknown_ > 0) text += ", " + count(unknown_, "cannot be told");
  if (failed_ > 0) text += ", " + count(failed_, "FAILED");
  return text;
}

int HostReaper::report() {
  if (no_answer_) return exit_unavailable;
  // Every task under executor.sh ends with this, and as a rule nothing is left.
  const bool nothing_found = stopped_ + left_ + unknown_ + failed_ == 0;
  if (options_.sandbox.empty() || !nothing_found) out_ << summary() << std::endl;
  if (failed_ > 0) return 1;
  if (to_stop_ > 0) return 2;
  return unknown_runs_ ? 1 : 0;
}

}  // namespace sidecar_executor::app
