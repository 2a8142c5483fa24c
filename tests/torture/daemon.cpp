#include "torture/daemon.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "support/system_private_docker.hpp"

namespace sx_torture {
namespace {

using sx_test::PrivateDocker;

/// Containers live on while it is away, as on every host that is upgraded without draining.
constexpr auto kLives = PrivateDocker::LiveRestore::yes;

std::unique_ptr<PrivateDocker> docker;  // of the daemon's thread

}  // namespace

Daemon::Daemon() : thread_([this] { live(); }) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ != State::starting; });
  if (state_ == State::failed) {
    lock.unlock();
    thread_.join();
    throw std::runtime_error("no dockerd could be started (root is needed)");
  }
}

Daemon::~Daemon() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Daemon::become(State state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  changed_.notify_all();
}

void Daemon::live() {
  try {
    docker = std::make_unique<PrivateDocker>(kLives);
  } catch (const std::exception&) {
    return become(State::failed);
  }
  socket_ = docker->host().substr(std::string("unix://").size());
  if (!docker->answers()) return become(State::failed);
  become(State::present);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return over_ || (asked_ && users_ == 0); });
    if (over_) break;
    const Fault fault = *asked_;
    lock.unlock();
    absence(fault);
    lock.lock();
    asked_.reset();
  }
  lock.unlock();
  docker.reset();
}

void Daemon::absence(const Fault& fault) {
  switch (fault.harm) {
    case Harm::daemon_killed:
      docker->kill();
      break;
    case Harm::daemon_stopped:
      docker->stop();
      break;
    default:
      docker->hang();
  }
  become(State::away);
  std::this_thread::sleep_for(fault.length);  // the absence itself
  if (fault.harm == Harm::daemon_frozen) {
    docker->go_on();
  } else {
    docker->start(kLives);
  }
  become(State::present);
}

bool Daemon::leave(const Fault& fault) {
  std::unique_lock lock(mutex_);
  if (state_ != State::present || over_) return false;
  state_ = State::leaving;
  ++absences_;
  asked_ = fault;
  changed_.notify_all();
  changed_.wait(lock, [this] { return state_ != State::leaving || over_; });
  return true;
}

int Daemon::absences() {
  const std::lock_guard lock(mutex_);
  return state_ == State::present ? absences_
                                  : absences_ - 1;  // one that goes on counts as to come
}

void Daemon::while_present(const std::function<void()>& work) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ == State::present; });
    ++users_;
  }
  work();
  const std::lock_guard lock(mutex_);
  --users_;
  changed_.notify_all();
}

}  // namespace sx_torture
