#pragma once
// Executors that come and go, and a control group that stays.

#include <deque>
#include <list>
#include <map>
#include <random>
#include <string>

#include "agent_run.hpp"
#include "soak_sample.hpp"

namespace sx_bench {

class SoakCrowd {
 public:
  struct Options {
    Programs programs;
    std::string docker_host;
    int crowd = 200;   ///< with the control group
    int control = 10;  ///< with Sidecar, relay and a line a second
    int life_min = 5;  ///< seconds
    int life_max = 60;
  };
  explicit SoakCrowd(Options options);

  /// Starts the control group and the first of the others.
  void start();
  /// Replaces those that have ended; few at a time, so that samples are taken in time.
  void churn();
  [[nodiscard]] SoakSample look(double at) const;
  /// KILL to all, and waits.
  void stop();

  /// `FINISHED` and so on, with how often; an executor that failed is `exit code N`.
  [[nodiscard]] const std::map<std::string, int>& ends() const { return ends_; }

 private:
  void add(bool control);
  void note_end(AgentRun& run);

  Options options_;
  std::mt19937 dice_{4711};
  std::list<AgentRun> control_;
  std::list<AgentRun> others_;
  std::map<std::string, int> ends_;
  int collector_port_ = 0;
  FileDescriptor collector_;  ///< UDP; nobody reads, the kernel drops
};

}  // namespace sx_bench
