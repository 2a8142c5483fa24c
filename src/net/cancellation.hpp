#pragma once
// One-shot cancellation for a group of operations on the one loop. Cancelling closes what an
// operation waits on, so the operation returns an error in its own time: no coroutine is ever
// interrupted at an arbitrary co_await (Asio's own cancellation throws at the next one).

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace sidecar_executor::net {

class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  /// Removes its hook when it goes out of scope. Must not outlive the Cancellation.
  class Registration {
   public:
    Registration() = default;
    Registration(Cancellation* owner, std::uint64_t id) : owner_(owner), id_(id) {}
    Registration(Registration&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), id_(other.id_) {}
    Registration& operator=(Registration&& other) noexcept {
      if (this != &other) {
        reset();
        owner_ = std::exchange(other.owner_, nullptr);
        id_ = other.id_;
      }
      return *this;
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() { reset(); }
    void reset() {
      if (owner_ != nullptr) owner_->hooks_.erase(id_);
      owner_ = nullptr;
    }

   private:
    Cancellation* owner_ = nullptr;
    std::uint64_t id_ = 0;
  };

  [[nodiscard]] bool cancelled() const { return cancelled_; }

  /// Runs the hooks, each once. Later calls do nothing.
  void cancel() {
    cancelled_ = true;
    while (!hooks_.empty()) {
      auto node = hooks_.extract(hooks_.begin());
      node.mapped()();
    }
  }

  /// `hook` runs when cancel() is called; never when it already was.
  [[nodiscard]] Registration on_cancel(std::function<void()> hook) {
    const std::uint64_t id = next_++;
    hooks_.emplace(id, std::move(hook));
    return {this, id};
  }

 private:
  bool cancelled_ = false;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, std::function<void()>> hooks_;
};

}  // namespace sidecar_executor::net
