#pragma once
// The executor's own log: logfmt lines on stdout, as logrus prints them to a file.
// Never blocks the loop: what a slow reader or a full disk does not take is counted and said once.

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace sidecar_executor {

enum class LogLevel { debug, info, warning, error, fatal };

/// `key=value` behind the fixed text of a message.
struct LogField {
  std::string_view key;
  std::string value;
};

/// Bytes on their way to a file descriptor that may be a file, a pipe whose reader sleeps or is
/// gone, or a full disk. Bounded: what does not fit is dropped in whole writes and counted; when
/// there is room again, one log line says how much was lost.
class OutputBuffer {
 public:
  /// `fd` is not owned. `capacity` in bytes: how much may wait.
  explicit OutputBuffer(int fd, std::size_t capacity = 256 * 1024);

  /// Writes now what can be written without blocking, keeps the rest.
  void write(std::string_view bytes);
  /// Tries again to write what waits. True when nothing waits.
  bool flush();
  [[nodiscard]] bool pending() const { return !waiting_.empty(); }
  [[nodiscard]] std::size_t dropped_bytes() const { return dropped_; }
  /// Bytes that can be taken now before something is dropped.
  [[nodiscard]] std::size_t room() const;
  [[nodiscard]] int fd() const { return fd_; }
  /// Called once when bytes begin to wait: the loop then watches the descriptor and calls flush().
  std::function<void()> on_pending;

 private:
  std::size_t write_some(std::string_view bytes);
  [[nodiscard]] ssize_t write_once(std::string_view bytes) const;
  void keep(std::string_view bytes, bool begun);
  bool say_loss();

  int fd_;
  std::size_t capacity_;
  bool is_file_ = false;
  bool is_socket_ = false;
  std::string waiting_;
  std::size_t dropped_ = 0;
  std::size_t dropped_said_ = 0;
};

/// One per process, handed down by reference. Text and values are made one line of valid UTF-8.
class Log {
 public:
  explicit Log(OutputBuffer& out) : out_(out) {}
  void set_debug(bool on) { debug_ = on; }

  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view text, Fields fields = {});
  void info(std::string_view text, Fields fields = {});
  void warning(std::string_view text, Fields fields = {});
  void error(std::string_view text, Fields fields = {});
  void fatal(std::string_view text, Fields fields = {});

  [[nodiscard]] OutputBuffer& output() { return out_; }

 private:
  void line(LogLevel level, std::string_view text, Fields fields);
  OutputBuffer& out_;
  bool debug_ = false;
};

/// The line without its newline; `now` in UTC. Exposed for tests.
std::string format_log_line(std::chrono::system_clock::time_point now, LogLevel level,
                            std::string_view text, Log::Fields fields);

}  // namespace sidecar_executor
