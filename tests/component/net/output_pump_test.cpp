// Log output to a pipe whose reader sleeps, wakes up, or goes away.

#include "net/output_pump.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "support/run.hpp"

namespace sidecar_executor::net {
namespace {

using namespace std::chrono_literals;

class OutputPumpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);  // as the executor does
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader = ends[0];
    writer = ends[1];
    ASSERT_GT(::fcntl(writer, F_SETPIPE_SZ, 4096), 0);
    buffer = std::make_unique<OutputBuffer>(writer);
    pump = std::make_unique<OutputPump>(loop.executor(), *buffer);
  }
  void TearDown() override {
    if (pump) pump->close();
    EXPECT_TRUE(loop.runs_out()) << "the pump still waits";
    pump.reset();
    close_reader();
    ::close(writer);
  }
  void close_reader() {
    if (reader >= 0) ::close(reader);
    reader = -1;
  }
  std::string read_pipe() {
    std::string text(65536, '\0');
    const auto got = ::read(reader, text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  bool drained(Duration limit) {
    return loop.run([&] { return pump->drained(limit); });
  }

  test::Loop loop;
  int reader = -1;
  int writer = -1;
  std::unique_ptr<OutputBuffer> buffer;
  std::unique_ptr<OutputPump> pump;
};

TEST_F(OutputPumpTest, NothingWaitsIsDrained) {
  EXPECT_TRUE(drained(0ns));
  buffer->write("line\n");
  EXPECT_TRUE(drained(0ns));
  EXPECT_EQ(read_pipe(), "line\n");
}

TEST_F(OutputPumpTest, WritesWhenTheReaderWakesUp) {
  const std::string all = std::string(20'000, 'x') + "\n";
  buffer->write(all);
  EXPECT_TRUE(buffer->pending());
  auto draining = loop.start([&] { return pump->drained(test::hang_limit); });
  std::string got;
  while (got.size() < all.size()) {
    got += read_pipe();  // there is always something: the pump fills what we empty
    loop.poll();
  }
  EXPECT_TRUE(loop.finish(draining));
  EXPECT_EQ(got, all);
  EXPECT_EQ(buffer->dropped_bytes(), 0U);
}

TEST_F(OutputPumpTest, SleepingReaderIsNotWaitedForTooLong) {
  buffer->write(std::string(20'000, 'x'));
  const auto began = test::Clock::now();
  EXPECT_FALSE(drained(50ms));
  EXPECT_GE(test::Clock::now() - began, 49ms);
  EXPECT_TRUE(buffer->pending());
}

TEST_F(OutputPumpTest, ReaderThatLeavesIsNotWaitedFor) {
  buffer->write(std::string(20'000, 'x'));
  auto draining = loop.start([&] { return pump->drained(test::hang_limit); });
  loop.poll();
  EXPECT_FALSE(draining.ended());
  close_reader();
  loop.finish(draining, 5s);
  EXPECT_GT(buffer->dropped_bytes(), 0U);
}

TEST_F(OutputPumpTest, CloseEndsTheWait) {
  buffer->write(std::string(20'000, 'x'));
  auto draining = loop.start([&] { return pump->drained(test::hang_limit); });
  loop.poll();
  pump->close();
  EXPECT_FALSE(loop.finish(draining, 5s));
  buffer->write("more");
  EXPECT_FALSE(drained(test::hang_limit));
}

TEST_F(OutputPumpTest, DestroyedWhileItWaits) {
  buffer->write(std::string(20'000, 'x'));
  loop.poll();
  pump.reset();
  EXPECT_TRUE(loop.runs_out()) << "and asan says nothing";
  buffer->write("more");
}

TEST_F(OutputPumpTest, FilesNeverWait) {
  test::TempDir dir;
  const int file = ::open((dir / "log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  {
    OutputBuffer to_file(file);
    OutputPump of_file(loop.executor(), to_file);
    to_file.write(std::string(1 << 20, 'x'));
    EXPECT_FALSE(to_file.pending());
    EXPECT_TRUE(loop.run([&] { return of_file.drained(0ns); }));
  }
  ::close(file);
}

}  // namespace
}  // namespace sidecar_executor::net
