#include "task/log_copy.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "docker/frames.hpp"

namespace sidecar_executor::task {
using docker::LogStream;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t copy_limit = 10 * 1024 * 1024;
/// Logs up to this size are kept while they are counted, so that they are read once only.
constexpr std::size_t keep_limit = 256 * 1024;
constexpr std::size_t read_size = 16 * 1024;

struct Piece {
  LogStream stream;
  std::string bytes;
};

std::string since_parameter(std::chrono::nanoseconds back) {
  const auto now = std::chrono::system_clock::now();
  const auto since = now - std::chrono::duration_cast<std::chrono::system_clock::duration>(back);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch()).count();
  return std::to_string(std::max<std::int64_t>(seconds, 0));
}

class Copy {
 public:
  Copy(docker::Engine& engine, LogCopyRequest request, LogCopyOutputs outputs,
       net::Cancellation& cancellation)
      : engine_(engine),
        request_(std::move(request)),
        outputs_(outputs),
        cancellation_(cancellation),
        since_(since_parameter(request_.since)),
        end_(SteadyClock::now() + request_.limit) {}

  asio::awaitable<Result<LogCopied>> run() {
    auto counted =
        co_await read([this](LogStream stream, std::string_view bytes) { count(stream, bytes); });
    if (!counted) co_return counted.error();
    LogCopied result;
    result.dropped = total_ > copy_limit ? total_ - copy_limit : 0;
    result.bytes = total_ - result.dropped;
    if (!too_much_to_keep_) {
      for (const auto& piece : kept_) co_await write(piece.stream, piece.bytes);
      co_return result;
    }
    if (result.dropped > 0) {
      outputs_.err.write("sidecar-executor: the log is longer than 10 MiB, its oldest " +
                         std::to_string(result.dropped) + " bytes are left out here\n");
    }
    skip_ = result.dropped;
    auto copied =
        co_await read([this](LogStream stream, std::string_view bytes) { emit(stream, bytes); });
    if (!copied) co_return copied.error();
    co_return result;
  }

 private:
  template <typename Use>
  asio::awaitable<Result<void>> read(Use use) {
    net::HttpConnection connection = engine_.connection(&cancellation_);
    docker::Engine::LogQuery query;
    query.since = since_;
    auto opened = co_await engine_.open_logs(connection, request_.container_id, query);
    if (!opened) co_return opened;
    docker::FrameDecoder frames(request_.tty);
    std::string chunk(read_size, '\0');
    for (;;) {
      auto got = co_await connection.read_some(chunk.data(), chunk.size(), left());
      if (!got) co_return got.error();
      if (*got == 0) co_return boost::system::in_place_value;
      auto fed = frames.feed(
          std::string_view(chunk).substr(0, *got),
          [&use](LogStream stream, std::string_view bytes, bool) { use(stream, bytes); });
      if (!fed) co_return fed;
      co_await make_room();
    }
  }

  void count(LogStream stream, std::string_view bytes) {
    total_ += bytes.size();
    if (too_much_to_keep_ || total_ > keep_limit) {
      too_much_to_keep_ = true;
      std::vector<Piece>().swap(kept_);
    } else if (!kept_.empty() && kept_.back().stream == stream) {
      kept_.back().bytes += bytes;
    } else {
      kept_.push_back({stream, std::string(bytes)});
    }
  }

  void emit(LogStream stream, std::string_view bytes) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= skipped;
    bytes.remove_prefix(skipped);
    if (!bytes.empty()) output(stream).write(bytes);
  }

  asio::awaitable<void> write(LogStream stream, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto now = bytes.substr(0, read_size);
      output(stream).write(now);
      bytes.remove_prefix(now.size());
      co_await make_room();
    }
  }

  /// A slow reader of our output holds up the copy, up to its time limit, and nothing else.
  asio::awaitable<void> make_room() {
    if (outputs_.out.room() < 2 * read_size) co_await outputs_.out_pump.drained(left());
    if (outputs_.err.room() < 2 * read_size) co_await outputs_.err_pump.drained(left());
  }

  OutputBuffer& output(LogStream stream) {
    return stream == LogStream::err ? outputs_.err : outputs_.out;
  }

  net::Duration left() const {
    return std::max<net::Duration>(end_ - SteadyClock::now(), std::chrono::milliseconds(1));
  }

  docker::Engine& engine_;
  LogCopyRequest request_;
  LogCopyOutputs outputs_;
  net::Cancellation& cancellation_;
  std::string since_;
  SteadyClock::time_point end_;
  std::uint64_t total_ = 0;
  std::uint64_t skip_ = 0;
  bool too_much_to_keep_ = false;
  std::vector<Piece> kept_;
};

}  // namespace

asio::awaitable<Result<LogCopied>> copy_logs(docker::Engine& engine, LogCopyRequest request,
                                             LogCopyOutputs outputs,
                                             net::Cancellation& cancellation) {
  Copy copy(engine, std::move(request), outputs, cancellation);
  auto result = co_await copy.run();
  if (!result) co_return result.error().during("copy the container's logs");
  co_return result;
}

}  // namespace sidecar_executor::task
