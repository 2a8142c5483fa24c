#include "base/log.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <iterator>
#include <utility>

#include "base/stamp.hpp"
#include "base/text.hpp"

namespace sidecar_executor {
namespace {

/// POLLOUT on a pipe promises room for this many bytes; one more could block.
constexpr std::size_t safe_write = PIPE_BUF;

/// Of one line: text and each value. Long ones come from servers, and there is no use for more.
constexpr std::size_t value_limit = 8 * 1024;

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::fatal:
      return "fatal";
  }
  return "info";
}

/// logrus' TextFormatter.needsQuoting; the empty value is bare there too.
bool needs_quotes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-._/@^+").find(c) != std::string_view::npos);
  });
}

struct Character {
  char32_t code;
  std::size_t size;
};

/// The first character of valid UTF-8.
Character first_character(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (at(0) < 0x80) return {at(0), 1};
  const std::size_t size = at(0) >= 0xF0 ? 4 : (at(0) >= 0xE0 ? 3 : 2);
  char32_t code = at(0) & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) code = code << 6U | (at(i) & 0x3FU);
  return {code, size};
}

/// Not ASCII, and not to be shown as it is: C1 controls, unusual blanks, line separators, marks of
/// direction (those that Go's unicode.IsPrint refuses and that occur).
bool is_invisible(char32_t code) {
  constexpr std::pair<char32_t, char32_t> ranges[] = {
      {0x80, 0xA0},     {0xAD, 0xAD},     {0x2000, 0x200F}, {0x2028, 0x202F},
      {0x205F, 0x206F}, {0x3000, 0x3000}, {0xE000, 0xF8FF}, {0xFEFF, 0xFEFF}};
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [code](const auto& r) { return code >= r.first && code <= r.second; });
}

/// Go's %q of valid UTF-8.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto [code, size] = first_character(text);
    const char c = text.front();
    constexpr std::string_view named = "\a\b\f\n\r\t\v";
    if (const auto at = named.find(c); at != std::string_view::npos) {
      out += '\\';
      out += "abfnrtv"[at];
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20 || code == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(code));
    } else if (is_invisible(code)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  out += '"';
}

void append_pair(std::string& out, std::string_view key, std::string_view value) {
  const std::string text = clip_utf8(value, value_limit);
  if (!out.empty()) out += ' ';
  out += key;
  out += '=';
  if (needs_quotes(text)) {
    append_quoted(out, text);
  } else {
    out += text;
  }
}

}  // namespace

// ---- OutputBuffer ------------------------------------------------------------------------------

OutputBuffer::OutputBuffer(int fd, std::size_t capacity) : fd_(fd), capacity_(capacity) {
  struct stat about{};
  if (::fstat(fd, &about) != 0) return;
  is_file_ = S_ISREG(about.st_mode);
  is_socket_ = S_ISSOCK(about.st_mode);
}

std::size_t OutputBuffer::room() const { return capacity_ - std::min(capacity_, waiting_.size()); }

void OutputBuffer::write(std::string_view bytes) {
  const bool waited = pending();
  if (waited ? flush() : say_loss()) {
    const std::size_t written = write_some(bytes);
    bytes.remove_prefix(written);
    // A line that was begun is kept as far as it fits; otherwise all of it or nothing.
    keep(bytes, written > 0);
  } else {
    keep(bytes, false);
  }
  if (!waited && pending() && on_pending) on_pending();
}

void OutputBuffer::keep(std::string_view bytes, bool begun) {
  const std::size_t kept = bytes.size() <= room() ? bytes.size() : (begun ? room() : 0);
  waiting_ += bytes.substr(0, kept);
  dropped_ += bytes.size() - kept;
}

bool OutputBuffer::flush() {
  waiting_.erase(0, write_some(waiting_));
  return !pending() && say_loss();
}

/// One line for each time that something was lost, in the log's own form. True when nothing waits.
bool OutputBuffer::say_loss() {
  if (dropped_ == dropped_said_) return true;
  const std::size_t before = dropped_;
  const std::string bytes = std::to_string(dropped_ - dropped_said_);
  const std::string line = format_log_line(std::chrono::system_clock::now(), LogLevel::warning,
                                           "log output lost", {{"bytes", bytes}}) +
                           "\n";
  const std::size_t written = write_some(line);
  if (dropped_ != before || written == 0) {  // still no room; this line itself is no loss
    dropped_ = before;
    return true;
  }
  dropped_said_ = dropped_;
  waiting_ = line.substr(written);
  return !pending();
}

/// Bytes that are done with: written, or dropped because the descriptor takes no more. The
/// descriptor stays blocking: its open file description is shared with other processes.
std::size_t OutputBuffer::write_some(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::string_view rest = bytes.substr(done);
    const ssize_t written = write_once(rest);
    if (written > 0) {
      done += static_cast<std::size_t>(written);
    } else if (written < 0 && errno == EAGAIN) {
      return done;
    } else if (written == 0 || errno != EINTR) {
      // Disk full, reader gone: waiting would not help.
      dropped_ += rest.size();
      return bytes.size();
    }
  }
  return done;
}

/// write(2) that fails with EAGAIN where it would block.
ssize_t OutputBuffer::write_once(std::string_view bytes) const {
  if (is_file_) return ::write(fd_, bytes.data(), bytes.size());
  if (is_socket_) return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  pollfd ready{fd_, POLLOUT, 0};
  const int count = ::poll(&ready, 1, 0);
  if (count < 0) return -1;
  if (count == 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(fd_, bytes.data(), std::min(bytes.size(), safe_write));
}

// ---- Log ---------------------------------------------------------------------------------------

std::string format_log_line(std::chrono::system_clock::time_point now, LogLevel level,
                            std::string_view text, Log::Fields fields) {
  std::string out = "time=\"" + format_utc(now) + "\"";
  append_pair(out, "level", name_of(level));
  append_pair(out, "msg", text);
  for (const LogField& field : fields) append_pair(out, field.key, field.value);
  return out;
}

void Log::line(LogLevel level, std::string_view text, Fields fields) {
  out_.write(format_log_line(std::chrono::system_clock::now(), level, text, fields) + "\n");
}

void Log::debug(std::string_view text, Fields fields) {
  if (debug_) line(LogLevel::debug, text, fields);
}
void Log::info(std::string_view text, Fields fields) { line(LogLevel::info, text, fields); }
void Log::warning(std::string_view text, Fields fields) { line(LogLevel::warning, text, fields); }
void Log::error(std::string_view text, Fields fields) { line(LogLevel::error, text, fields); }
void Log::fatal(std::string_view text, Fields fields) { line(LogLevel::fatal, text, fields); }

}  // namespace sidecar_executor
