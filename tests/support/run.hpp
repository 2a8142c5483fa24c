#pragma once
// The loop of a component test. Tests wait for events with a deadline, never for time to pass.

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <concepts>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include "net/deadline.hpp"

namespace sidecar_executor::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Duration = std::chrono::nanoseconds;

/// Far more than anything takes on a busy machine: only a hang gets there.
inline constexpr auto hang_limit = 30s;

/// A coroutine that was started and is not waited for yet.
template <class T>
class Started {
 public:
  struct State {
    std::optional<T> value;
    std::exception_ptr thrown;
    bool ended = false;
  };
  explicit Started(std::shared_ptr<State> state) : state_(std::move(state)) {}

  [[nodiscard]] bool ended() const { return state_->ended; }
  /// Its result, once.
  T take() {
    if (state_->thrown) std::rethrow_exception(state_->thrown);
    return std::move(*state_->value);
  }

 private:
  std::shared_ptr<State> state_;
};

struct Nothing {};

class Loop {
 public:
  using Where = std::source_location;

  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  asio::io_context& context() { return context_; }
  asio::any_io_executor executor() { return context_.get_executor(); }

  /// Runs the loop until `done` says so (asked after every handler).
  void until(const std::function<bool()>& done, std::string_view what, Duration limit = hang_limit,
             Where where = Where::current()) {
    const auto end = Clock::now() + limit;
    context_.restart();
    while (!done()) {
      const auto left = end - Clock::now();
      if (left <= Duration(0)) give_up(what, "in time", where);
      if (context_.run_one_for(left) == 0 && context_.stopped() && !done()) {
        give_up(what, "yet, and nothing is left on the loop", where);
      }
    }
  }

  /// Starts a coroutine function. It is kept until its end, so it may have captures.
  template <class F>
  auto start(F function) {
    return start_impl(std::move(function));
  }

  /// Runs a coroutine function to its end; its result.
  template <class F>
  auto run(F function, Duration limit = hang_limit, Where where = Where::current()) {
    auto started = start_impl(std::move(function));
    until([&] { return started.ended(); }, "the coroutine to end", limit, where);
    return started.take();
  }

  /// Waits for one that was started; its result.
  template <class T>
  T finish(Started<T>& started, Duration limit = hang_limit, Where where = Where::current()) {
    until([&] { return started.ended(); }, "the coroutine to end", limit, where);
    return started.take();
  }

  /// True when the loop has nothing left to do within `limit`: no timer, socket or coroutine was
  /// left behind.
  bool runs_out(Duration limit = 5s) {
    context_.restart();
    const auto end = Clock::now() + limit;
    while (Clock::now() < end) {
      if (context_.run_one_for(end - Clock::now()) == 0) break;
    }
    return context_.stopped();
  }

  /// Runs what is ready, waits for nothing.
  void poll() {
    context_.restart();
    context_.poll();
  }

 private:
  template <class F>
  auto start_impl(F function) {
    using T = typename std::invoke_result_t<F>::value_type;
    if constexpr (std::is_void_v<T>) {
      return start_impl([f = std::move(function)]() mutable -> asio::awaitable<Nothing> {
        co_await f();
        co_return Nothing{};
      });
    } else {
      auto state = std::make_shared<typename Started<T>::State>();
      // The function lives in the handler, which lives as long as the coroutine.
      auto kept = std::make_shared<F>(std::move(function));
      asio::co_spawn(context_, (*kept)(), [state, kept](std::exception_ptr thrown, T value) {
        state->thrown = thrown;
        if (!thrown) state->value.emplace(std::move(value));
        state->ended = true;
      });
      return Started<T>(state);
    }
  }

  /// The coroutines still refer to the test's variables: there is no way to go on from here.
  [[noreturn]] static void give_up(std::string_view what, std::string_view how, Where where) {
    ADD_FAILURE_AT(where.file_name(), static_cast<int>(where.line()))
        << "waited for " << what << ": not " << how;
    std::fflush(nullptr);
    std::_Exit(1);
  }

  asio::io_context context_{1};
};

/// A directory that is gone with the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sx-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace sidecar_executor::test
