#pragma once
// `reap`, for a whole host or what options narrow it down to: a line for each container, then what
// it comes to.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <iosfwd>
#include <string>
#include <vector>

#include "app/reap.hpp"
#include "app/reap_plan.hpp"
#include "docker/engine.hpp"

namespace sidecar_executor::app {

Candidate candidate_of(const docker::ContainerSummary& container);

/// SIGTERM, after `grace` SIGKILL; a paused container is killed.
asio::awaitable<Result<docker::StopResult>> stop_or_kill(docker::Engine& engine, std::string id,
                                                         std::chrono::nanoseconds grace);

class HostReaper {
 public:
  /// What is referred to outlives it.
  HostReaper(docker::Engine& engine, const ReapOptions& options, std::chrono::nanoseconds grace,
             std::ostream& out)
      : engine_(engine), options_(options), grace_(grace), out_(out) {}

  asio::awaitable<void> run();
  /// What run() began has ended.
  [[nodiscard]] bool done() const { return workers_ == 0; }
  /// Once it is done: the last line, and the exit code (reap()).
  int report();

 private:
  struct Item {
    Candidate container;
    Judgement judgement;
  };
  [[nodiscard]] std::string filters() const;
  void take(Candidate container, const HostFacts& host);
  asio::awaitable<void> act();
  [[nodiscard]] std::string summary() const;
  void say(const char* what, const Item& item, const std::string& more = {});
  [[nodiscard]] bool dry_run() const { return !options_.stop && !options_.remove; }

  docker::Engine& engine_;
  const ReapOptions& options_;
  std::chrono::nanoseconds grace_;
  std::ostream& out_;
  std::vector<Item> to_do_;
  std::size_t next_ = 0;  // of to_do_
  int workers_ = 0;
  bool no_answer_ = false;
  int stopped_ = 0;
  int removed_ = 0;
  int to_stop_ = 0;  // for want of --stop
  int to_remove_ = 0;
  int left_ = 0;
  int unknown_ = 0;
  bool unknown_runs_ = false;
  int failed_ = 0;
};

}  // namespace sidecar_executor::app
