#include "torture/director.hpp"

#include <cstdio>
#include <utility>

namespace sx_torture {

Director::Director(std::vector<Fault> faults, Hands hands)
    : waiting_(std::move(faults)), hands_(std::move(hands)), thread_([this] { run(); }) {}

void Director::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(over_, true)) return;
  }
  changed_.notify_all();
  thread_.join();
}

void Director::note(const std::string& what) {
  char stamp[32];
  const std::chrono::duration<double> since = Clock::now() - start_;
  std::snprintf(stamp, sizeof stamp, "%8.3f ", since.count());
  const std::lock_guard lock(mutex_);
  story_ += stamp + what + "\n";
}

std::string Director::story() {
  const std::lock_guard lock(mutex_);
  return story_;
}

void Director::moment(Moment moment) {
  std::vector<Fault> now;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    for (auto fault = waiting_.begin(); fault != waiting_.end();) {
      if (fault->at != moment) {
        ++fault;
        continue;
      }
      if (fault->after.count() == 0) {
        now.push_back(*fault);
      } else {
        due_.emplace(Clock::now() + fault->after, Step{*fault, true});
      }
      fault = waiting_.erase(fault);
    }
  }
  changed_.notify_all();
  for (const auto& fault : now) begin(fault);
}

void Director::begin(const Fault& fault) {
  note(name_of(fault.harm));
  hands_.begin(fault);
  if (fault.length.count() == 0) return;
  const std::lock_guard lock(mutex_);
  due_.emplace(Clock::now() + fault.length, Step{fault, false});
  changed_.notify_all();
}

void Director::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (over_) break;
    if (due_.empty()) {
      changed_.wait(lock);
      continue;
    }
    if (const auto next = due_.begin()->first; Clock::now() < next) {
      changed_.wait_until(lock, next);
      continue;
    }
    const Step step = due_.extract(due_.begin()).mapped();
    lock.unlock();
    if (step.begins) {
      begin(step.fault);
    } else {
      note(std::string(name_of(step.fault.harm)) + ": over");
      hands_.end(step.fault);
    }
    lock.lock();
  }
  const auto left = std::exchange(due_, {});
  lock.unlock();
  for (const auto& [when, step] : left) {
    if (!step.begins) hands_.end(step.fault);
  }
}

}  // namespace sx_torture
