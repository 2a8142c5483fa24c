#pragma once
// Does the harm of one task when its moment comes, and undoes what lasts.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "torture/scenario.hpp"

namespace sx_torture {

class Director {
 public:
  using Clock = std::chrono::steady_clock;
  /// Called by the thread that brings the moment, or by the director's own.
  struct Hands {
    std::function<void(const Fault&)> begin;
    std::function<void(const Fault&)> end;  ///< of a fault that lasts
  };

  Director(std::vector<Fault> faults, Hands hands);
  ~Director() { finish(); }
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  /// Returns when what is due at once has been done.
  void moment(Moment moment);
  /// Ends what lasts; later moments are nothing.
  void finish();
  /// What happened and when, since the start of this object.
  [[nodiscard]] std::string story();
  void note(const std::string& what);

 private:
  struct Step {
    Fault fault;
    bool begins;
  };
  void run();
  void begin(const Fault& fault);

  std::vector<Fault> waiting_;
  Hands hands_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, Step> due_;
  std::string story_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace sx_torture
