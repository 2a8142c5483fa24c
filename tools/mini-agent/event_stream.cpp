#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>

#include "http_server.hpp"

namespace mini_agent {
namespace {

namespace asio = boost::asio;

constexpr auto kMergeWait = std::chrono::milliseconds(50);

std::string chunk(std::string_view bytes) {
  char size[20];
  const auto end = std::to_chars(std::begin(size), std::end(size), bytes.size(), 16).ptr;
  return std::string(std::begin(size), end) + "\r\n" + std::string(bytes) + "\r\n";
}

}  // namespace

EventStream::EventStream(StreamSocket& socket, StreamStyle style)
    : socket_(socket), style_(style), wake_(socket.get_executor()) {}

void EventStream::send(std::string bytes) {
  if (!open_ || finishing_ || cutting_) return;
  waiting_.push_back(std::move(bytes));
  wake_.cancel();
}

void EventStream::send_half_and_abort(std::string bytes) {
  send(std::move(bytes));
  cutting_ = true;
}

void EventStream::finish() {
  finishing_ = true;
  wake_.cancel();
}

void EventStream::abort() {
  if (!open_) return;  // the socket may be gone
  boost::system::error_code ignored;
  socket_.close(ignored);
  end("closed by the agent");
  wake_.cancel();
}

void EventStream::end(const std::string& why) {
  if (!open_) return;
  open_ = false;
  if (on_end) std::exchange(on_end, nullptr)(why);
}

// The executor sends nothing more on this connection: readable means that it has closed it.
void EventStream::watch_peer() {
  auto self = shared_from_this();
  socket_.async_wait(StreamSocket::wait_read, [self](boost::system::error_code error) {
    if (!self->open_) return;
    if (error) {  // the connection was dropped before the stream began
      self->end("closed by the agent");
      self->wake_.cancel();
      return;
    }
    char byte = 0;
    boost::system::error_code peeked;
    const auto count =
        self->socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, peeked);
    if (peeked || count == 0) {
      self->end("closed by the executor");
      self->wake_.cancel();
    }
  });
}

std::string EventStream::take_next() {
  std::string next = std::move(waiting_.front());
  waiting_.pop_front();
  while (style_.merge && !waiting_.empty()) {
    next += waiting_.front();
    waiting_.pop_front();
  }
  return next;
}

asio::awaitable<bool> EventStream::write(std::string bytes) {
  boost::system::error_code error;
  const auto buffer = asio::buffer(bytes);
  auto token = asio::redirect_error(asio::use_awaitable, error);
  co_await asio::async_write(socket_, buffer, token);
  if (error) end("write failed: " + error.message());
  co_return !error;
}

asio::awaitable<bool> EventStream::write_slowly(std::string bytes) {
  asio::steady_timer pause(socket_.get_executor());
  for (const char byte : bytes) {
    std::string one = chunk(std::string_view(&byte, 1));
    if (!co_await write(std::move(one))) co_return false;
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    pause.expires_after(style_.drip_pause);
    co_await pause.async_wait(token);
    if (!open_) co_return false;
  }
  co_return true;
}

asio::awaitable<void> EventStream::run() {
  const auto self = shared_from_this();
  watch_peer();
  while (open_) {
    if (waiting_.empty() && !finishing_) {
      boost::system::error_code ignored;
      auto token = asio::redirect_error(asio::use_awaitable, ignored);
      wake_.expires_at(asio::steady_timer::time_point::max());
      co_await wake_.async_wait(token);
      continue;
    }
    if (waiting_.empty()) {
      std::string last = "0\r\n\r\n";
      if (co_await write(std::move(last))) end("closed by the agent with a zero chunk");
      break;
    }
    if (style_.merge && !finishing_ && !cutting_) {
      boost::system::error_code ignored;
      asio::steady_timer more(socket_.get_executor(), kMergeWait);
      auto token = asio::redirect_error(asio::use_awaitable, ignored);
      co_await more.async_wait(token);
    }
    std::string next = take_next();
    if (cutting_ && waiting_.empty()) {
      std::string half = chunk(next);
      half.resize(half.size() / 2);
      co_await write(std::move(half));
      abort();
      break;
    }
    if (style_.drip) {
      co_await write_slowly(std::move(next));
    } else {
      std::string whole = chunk(next);
      co_await write(std::move(whole));
    }
  }
}

}  // namespace mini_agent
