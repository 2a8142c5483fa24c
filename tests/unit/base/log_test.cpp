#include "base/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace sidecar_executor {
namespace {

using std::chrono::system_clock;

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  }
  ~Pipe() {
    close_reader();
    ::close(ends[1]);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
  /// Takes what is there, without waiting for more.
  std::string drain() {
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string out(1 << 20, '\0');
    const ssize_t got = ::read(ends[0], out.data(), out.size());
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }
};

std::string formatted(std::string_view text, Log::Fields fields = {}) {
  const auto now = system_clock::from_time_t(1767366245);  // 2026-01-02T15:04:05Z
  return format_log_line(now, LogLevel::info, text, fields);
}

TEST(LogLine, AsLogrusWritesIt) {
  const std::string head = "time=\"2026-01-02T15:04:05Z\" level=info msg=";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"---------------------------------------", "---------------------------------------"},
      {"Starting Sidecar Executor", "\"Starting Sidecar Executor\""},
      {"", ""},
      {"a-b._/@^+9", "a-b._/@^+9"},
      {"a:b", "\"a:b\""},
      {"a=b", "\"a=b\""},
      {"say \"hi\" \\", R"("say \"hi\" \\")"},
      {"tab\tline\nbell\a\x01\x7F", R"("tab\tline\nbell\a\x01\x7f")"},
      {"caf\xC3\xA9", "\"caf\xC3\xA9\""},
      {"nel\xC2\x85 line\xE2\x80\xA8 \xF0\x9F\x98\x80",
       "\"nel\\u0085 line\\u2028 \xF0\x9F\x98\x80\""},
      {"bad\xFF", "\"bad\xEF\xBF\xBD\""},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(formatted(text), head + std::string(shown));
  EXPECT_EQ(formatted("x", {{"id", "abc"}, {"error", "no such file"}, {"empty", ""}}),
            head + "x id=abc error=\"no such file\" empty=");
}

TEST(LogLine, ValuesAreBounded) {
  EXPECT_LT(formatted(std::string(1 << 20, 'x'), {{"k", std::string(1 << 20, 'y')}}).size(),
            20'000U);
}

TEST(Log, DebugOnlyWhenOn) {
  Pipe pipe;
  OutputBuffer out(pipe.ends[1]);
  Log log(out);
  log.debug("hidden");
  EXPECT_EQ(pipe.drain(), "");
  log.set_debug(true);
  log.debug("shown");
  EXPECT_TRUE(pipe.drain().ends_with("level=debug msg=shown\n"));
  log.fatal("end");
  EXPECT_TRUE(pipe.drain().ends_with("level=fatal msg=end\n"));
}

TEST(OutputBuffer, AFullPipeDoesNotBlockAndNothingIsLostWithinTheBound) {
  Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 16 * 1024), 16 * 1024);
  OutputBuffer out(pipe.ends[1], 64 * 1024);
  int told = 0;
  out.on_pending = [&told] { ++told; };
  std::string sent;
  for (int i = 0; i < 40; ++i) {
    const std::string line = std::to_string(i) + std::string(1000, 'x') + "\n";
    sent += line;
    out.write(line);
  }
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 0U);
  std::string got;
  for (int i = 0; i < 100 && out.pending(); ++i) {
    got += pipe.drain();
    out.flush();
  }
  got += pipe.drain();
  EXPECT_TRUE(got == sent);
  EXPECT_EQ(out.room(), 64U * 1024U);
  // The open file description is shared with other processes.
  EXPECT_EQ(::fcntl(pipe.ends[1], F_GETFL) & O_NONBLOCK, 0);
}

TEST(OutputBuffer, WhatDoesNotFitIsDroppedWholeAndSaidOnce) {
  Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096), 4096);
  OutputBuffer out(pipe.ends[1], 8 * 1024);
  const std::string line = std::string(1023, 'x') + "\n";
  for (int i = 0; i < 100; ++i) out.write(line);
  const std::size_t lost = out.dropped_bytes();
  EXPECT_GE(lost, 88U * 1024U);
  EXPECT_EQ(lost % line.size(), 0U);
  std::string got;
  for (int i = 0; i < 100 && (out.pending() || i < 5); ++i) {
    got += pipe.drain();
    out.flush();
  }
  got += pipe.drain();
  std::string kept;
  for (std::size_t i = 0; i < 100 - lost / line.size(); ++i) kept += line;
  ASSERT_TRUE(got.starts_with(kept));
  const std::string said = got.substr(kept.size());
  const std::string expected =
      "level=warning msg=\"log output lost\" bytes=" + std::to_string(lost) + "\n";
  EXPECT_TRUE(said.ends_with(expected)) << said;
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  out.write("after\n");
  EXPECT_EQ(pipe.drain(), "after\n");
}

TEST(OutputBuffer, MemoryStaysBoundedByOneHugeWrite) {
  Pipe pipe;
  OutputBuffer out(pipe.ends[1], 8 * 1024);
  out.write(std::string(1 << 20, 'x'));
  EXPECT_EQ(out.room(), 0U);
  EXPECT_EQ(out.dropped_bytes(), (1U << 20) - 65536U - 8192U);
}

TEST(OutputBuffer, ReaderGone) {
  Pipe pipe;
  pipe.close_reader();
  OutputBuffer out(pipe.ends[1]);
  for (int i = 0; i < 10; ++i) out.write("12345\n");
  EXPECT_FALSE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 60U);
}

TEST(OutputBuffer, ReaderGoneWhileBytesWait) {
  Pipe pipe;
  OutputBuffer out(pipe.ends[1]);
  out.write(std::string(100'000, 'x'));
  EXPECT_TRUE(out.pending());
  pipe.close_reader();
  EXPECT_TRUE(out.flush());
  EXPECT_EQ(out.dropped_bytes(), 100'000U - 65'536U);
}

TEST(OutputBuffer, FullDisk) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  OutputBuffer out(full);
  for (int i = 0; i < 10; ++i) out.write("12345\n");
  EXPECT_FALSE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 60U);
  ::close(full);
}

TEST(OutputBuffer, ClosedDescriptor) {
  OutputBuffer out(9999);
  out.write("12345\n");
  EXPECT_FALSE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 6U);
}

TEST(OutputBuffer, RegularFile) {
  char name[] = "/tmp/sx-log-XXXXXX";
  const int file = ::mkostemp(name, O_CLOEXEC);
  ASSERT_GE(file, 0);
  ::unlink(name);
  OutputBuffer out(file, 10);
  const std::string all(1 << 20, 'x');
  out.write(all);
  EXPECT_FALSE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 0U);
  EXPECT_EQ(::lseek(file, 0, SEEK_END), 1 << 20);
  ::close(file);
}

TEST(OutputBuffer, Socket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  OutputBuffer out(ends[1], 1 << 24);
  const std::string all(1 << 22, 'x');
  out.write(all);
  EXPECT_TRUE(out.pending());
  EXPECT_EQ(out.dropped_bytes(), 0U);
  std::size_t got = 0;
  std::string chunk(1 << 16, '\0');
  while (got < all.size()) {
    const ssize_t count = ::recv(ends[0], chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count > 0) got += static_cast<std::size_t>(count);
    out.flush();
  }
  EXPECT_FALSE(out.pending());
  ::close(ends[0]);
  out.write("x");
  EXPECT_EQ(out.dropped_bytes(), 1U);
  ::close(ends[1]);
}

}  // namespace
}  // namespace sidecar_executor
