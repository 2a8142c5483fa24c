#include "task/log_copy.hpp"

#include <algorithm>
#include <utility>

#include "docker/frames.hpp"
#include "task/log_spool.hpp"

namespace sidecar_executor::task {
using docker::LogStream;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t copy_limit = 10 * 1024 * 1024;
constexpr std::size_t read_size = 16 * 1024;
constexpr std::size_t tail_size = 4 * 1024;
/// dockerd reads its log files at 100,000 to 300,000 lines a second. Asked for more than fits into
/// the time, the newest lines, which matter most, would be the ones that are missing.
constexpr std::int64_t lines_per_second = 50'000;
constexpr std::int64_t most_lines = 250'000;
/// Podman's time for the newest lines grows with the square of their number: 5,000 lines of 200
/// bytes took 0.3 s, 20,000 2 s and 60,000 13 s (4.3.1), and nothing comes before the end.
constexpr std::int64_t most_lines_of_podman = 5'000;

class Copy {
 public:
  Copy(docker::Engine& engine, LogCopyRequest request, LogCopyOutputs outputs,
       net::Cancellation& cancellation)
      : engine_(engine),
        request_(std::move(request)),
        outputs_(outputs),
        cancellation_(cancellation),
        lines_wanted_(std::clamp<std::int64_t>(
            request_.limit / std::chrono::milliseconds(1) * lines_per_second / 1000, 1000,
            engine.is_podman() ? most_lines_of_podman : most_lines)),
        end_(SteadyClock::now() + request_.limit),
        spool_(request_.folder, copy_limit) {}

  asio::awaitable<Result<LogCopied>> run() {
    const auto read = co_await read_all();
    // What came before an error is worth showing all the same.
    LogCopied result;
    result.bytes = spool_.kept();
    result.oldest_left_out = spool_.dropped() > 0 || lines_ >= lines_wanted_;
    if (result.oldest_left_out) {
      outputs_.err.write("sidecar-executor: the log is long, only its newest " +
                         std::to_string(result.bytes) + " bytes follow\n");
    }
    for (auto piece = spool_.next(); !piece.bytes.empty(); piece = spool_.next()) {
      keep_tail(result.tail, piece.bytes);
      co_await write(piece.stream, piece.bytes);
    }
    if (!read) co_return read.error();
    co_return result;
  }

 private:
  asio::awaitable<Result<void>> read_all() {
    net::HttpConnection connection = engine_.connection(&cancellation_);
    docker::Engine::LogQuery query;
    query.since =
        log_since(request_.end.value_or(std::chrono::system_clock::now()), request_.since);
    query.tail = lines_wanted_;
    auto opened = co_await engine_.open_logs(connection, request_.container_id, query);
    if (!opened) co_return opened;
    docker::FrameDecoder frames(request_.tty);
    Result<void> added = boost::system::in_place_value;
    const auto take = [this, &added](LogStream stream, std::string_view bytes, bool) {
      lines_ += std::count(bytes.begin(), bytes.end(), '\n');
      if (added) added = spool_.add(stream, bytes);
    };
    std::string chunk(read_size, '\0');
    for (;;) {
      auto got = co_await connection.read_some(chunk.data(), chunk.size(), left());
      if (!got) co_return got.error();
      if (*got == 0) co_return boost::system::in_place_value;
      auto fed = frames.feed(std::string_view(chunk).substr(0, *got), take);
      if (!fed) co_return fed;
      if (!added) co_return added;
    }
  }

  static void keep_tail(std::string& tail, std::string_view bytes) {
    bytes = bytes.substr(bytes.size() - std::min(bytes.size(), tail_size));
    tail.erase(0, tail.size() - std::min(tail.size(), tail_size - bytes.size()));
    tail += bytes;
  }

  /// A slow reader of our output holds up the copy, up to its time limit, and nothing else.
  asio::awaitable<void> write(LogStream stream, std::string_view bytes) {
    OutputBuffer& output = stream == LogStream::err ? outputs_.err : outputs_.out;
    net::OutputPump& pump = stream == LogStream::err ? outputs_.err_pump : outputs_.out_pump;
    while (!bytes.empty()) {
      if (output.room() < 2 * read_size) co_await pump.drained(left());
      output.write(bytes.substr(0, read_size));
      bytes.remove_prefix(std::min(bytes.size(), read_size));
    }
  }

  net::Duration left() const {
    return std::max<net::Duration>(end_ - SteadyClock::now(), std::chrono::milliseconds(1));
  }

  docker::Engine& engine_;
  LogCopyRequest request_;
  LogCopyOutputs outputs_;
  net::Cancellation& cancellation_;
  std::int64_t lines_wanted_;
  std::int64_t lines_ = 0;
  SteadyClock::time_point end_;
  LogSpool spool_;
};

}  // namespace

std::string log_since(std::chrono::system_clock::time_point end, std::chrono::nanoseconds back) {
  const auto since = end - std::chrono::duration_cast<std::chrono::system_clock::duration>(back);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  return std::to_string(std::max<std::int64_t>(seconds, 0));
}

asio::awaitable<Result<LogCopied>> copy_logs(docker::Engine& engine, LogCopyRequest request,
                                             LogCopyOutputs outputs,
                                             net::Cancellation& cancellation) {
  Copy copy(engine, std::move(request), outputs, cancellation);
  auto result = co_await copy.run();
  if (!result) co_return result.error().during("copy the container's logs");
  co_return result;
}

}  // namespace sidecar_executor::task
