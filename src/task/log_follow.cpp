#include "task/log_follow.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/backoff.hpp"
#include "base/stamp.hpp"

namespace sidecar_executor::task {
using docker::LogStream;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t read_size = 64 * 1024;
/// More than a stream that ends too early leaves out; read from the end of the log, so at no cost.
constexpr std::int64_t last_entries = 1000;

/// Read at a time: a quarter of what dockerd's end of the socket holds, so that it seldom waits.
constexpr std::int64_t enough_entries = 64;
/// Fewer within log_gather are not worth a sleep.
constexpr std::int64_t few_entries = 8;

/// From one entry to the next. Whole milliseconds would make it 0.
constexpr net::Duration slow = net::Duration(timeouts::log_gather) / few_entries;

relay::Stream stream_of(LogStream stream) {
  return stream == LogStream::err ? relay::Stream::err : relay::Stream::out;
}

/// Asking again would bring the same answer. moby words it "configured logging driver does not
/// support reading", with 501 or 500.
bool is_final(const Error& error) {
  return error.kind == ErrorKind::not_found || error.kind == ErrorKind::invalid ||
         error.kind == ErrorKind::unauthorized || error.kind == ErrorKind::refused ||
         error.message.find("does not support reading") != std::string::npos;
}

}  // namespace

LogFollow::LogFollow(const asio::any_io_executor& executor, docker::Engine& engine,
                     relay::LogRelay& relay, Log& log, Container container, Limits limits)
    : engine_(engine),
      relay_(relay),
      log_(log),
      container_(std::move(container)),
      limits_(limits),
      woken_(executor),
      entries_(container_.tty),
      buffer_(read_size, '\0') {}

void LogFollow::container_ended() {
  ended_ = true;
  woken_.raise();
}

void LogFollow::stop() {
  reading_.cancel();
  woken_.raise();
}

void LogFollow::give_up() {
  sending_.cancel();
  stop();
}

asio::awaitable<bool> LogFollow::run() {
  const std::string now = stamp_of(std::chrono::system_clock::now());
  const std::string first =
      "sidecar-executor starting log pump for '" + container_.id.substr(0, 12) + "'";
  relay_.say(now, first);
  co_await send();
  auto next = Next::read_on;
  while (next == Next::read_on && !stopped()) {
    docker::Engine::LogQuery query;
    query.follow = true;
    const auto end = co_await read(query);
    if (!stopped()) next = co_await after(end);
  }
  relay_.end();
  co_await send();
  co_return next == Next::at_end;
}

asio::awaitable<void> LogFollow::send() {
  while (relay_.fill()) co_await relay_.flush(sending_);
  co_await relay_.flush(sending_);
}

/// One stream of Docker's, to its end.
asio::awaitable<Result<void>> LogFollow::read(docker::Engine::LogQuery query) {
  auto connection = engine_.connection(&reading_);
  query.since = position_.begin_again();
  query.timestamps = true;
  auto opened = co_await engine_.open_logs(connection, container_.id, query);
  if (!opened) co_return opened;
  entries_ = docker::LogEntries(container_.tty);
  skip_ = false;
  for (;;) {
    const auto got = co_await connection.read_many(buffer_.data(), buffer_.size());
    if (!got) co_return got.error();
    if (*got == 0) co_return boost::system::in_place_value;
    if (std::exchange(failures_, 0) > 0 && std::exchange(trouble_said_, false)) {
      log_.info("Docker's log stream is back");
    }
    auto taken = co_await take(std::string_view(buffer_).substr(0, *got));
    if (!taken) co_return taken;
    co_await relay_.flush(sending_);
    co_await gather(connection, *got);
  }
}

asio::awaitable<Result<void>> LogFollow::take(std::string_view bytes) {
  docker::LogPiece piece;
  entries_.feed(bytes);
  for (;;) {
    const auto more = entries_.next(piece);
    if (!more) co_return more.error();
    if (!*more) co_return boost::system::in_place_value;
    if (piece.begins) {
      skip_ = position_.was_taken(piece.stamp, piece.stream);
      if (!skip_) relay_.begin_entry(stream_of(piece.stream));
    }
    if (skip_) continue;
    std::string now;
    if (piece.stamp.empty()) now = stamp_of(std::chrono::system_clock::now());
    relay_.add(stream_of(piece.stream), piece.stamp.empty() ? now : piece.stamp, piece.text);
    while (relay_.fill()) co_await relay_.flush(sending_);
    if (!piece.ends) continue;
    position_.took(piece.stamp, piece.stream);
    ++gathered_;
  }
}

/// Lines that come fast are read many at a time: a wakeup for each would cost more than the line.
/// Others get their turn on the loop here. dockerd writes in bursts: one slow read says nothing
/// yet.
asio::awaitable<void> LogFollow::gather(net::HttpConnection& connection, std::size_t got) {
  const auto now = SteadyClock::now();
  const net::Duration took = now - std::exchange(last_read_, now);
  const auto entries = std::max<std::int64_t>(std::exchange(gathered_, 0), 1);
  each_takes_ = (3 * each_takes_ + std::min(took / entries, 2 * slow)) / 4;
  if (each_takes_ < slow && got < read_size) {
    const auto time = std::min<net::Duration>(each_takes_ * enough_entries, timeouts::log_gather);
    co_await connection.leave_unread(time, reading_);
  } else {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
}

asio::awaitable<LogFollow::Next> LogFollow::after(Result<void> end) {
  if (end && !ended_) co_await woken_.wait(SteadyClock::now() + limits_.end);
  if (end && ended_) {
    end = co_await last_look();
    if (end) co_return Next::at_end;
  }
  if (stopped()) co_return Next::read_on;
  if (!end && is_final(end.error())) {
    log_.warning("The container's log cannot be read, the log relay ends",
                 {{"error", end.error().message}});
    co_return Next::no_use;
  }
  if (!end && !std::exchange(trouble_said_, true)) {
    log_.warning("Docker's log stream broke off, going on where it was",
                 {{"error", end.error().message}});
  }
  // It comes again, all of it.
  if (entries_.inside() && !skip_) relay_.undo_entry();
  co_await pause();
  co_return Next::read_on;
}

/// dockerd (20.10) can end the stream before the container's very last piece of output, one without
/// \n, is in its log; what it says to a new question is complete. Podman (4.3) leaves out thousands
/// of lines when the container ends with a burst: there all that is missing is asked for.
asio::awaitable<Result<void>> LogFollow::last_look() {
  if (entries_.inside() && !skip_) position_.took(entries_.stamp(), LogStream::out);
  entries_ = docker::LogEntries(container_.tty);  // taken: not to be undone
  docker::Engine::LogQuery query;
  query.tail = engine_.is_podman() ? 0 : last_entries;
  co_return co_await read(query);
}

asio::awaitable<void> LogFollow::pause() {
  const auto time = doubled(limits_.first_retry, limits_.last_retry, failures_++);
  co_await net::sleep_for(time, reading_);
}

}  // namespace sidecar_executor::task
