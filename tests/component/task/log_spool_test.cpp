// Where the log's newest part cannot be kept.
#include "task/log_spool.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "support/run.hpp"

namespace sidecar_executor::task {
namespace {

using docker::LogStream;

const std::string much(300 * 1024, 'x');  // memory takes 256 KiB

TEST(LogSpoolTest, AFolderThatIsGoneIsNamed) {
  LogSpool spool("/no/such/folder", 1024 * 1024);
  EXPECT_TRUE(spool.add(LogStream::out, "a line\n")) << "memory is enough";
  const auto added = spool.add(LogStream::out, much);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message, "spool the log in /no/such/folder: No such file or directory");
}

/// A limit on files is what a full disk looks like to write().
TEST(LogSpoolTest, ADiskThatTakesNoMoreIsSaid) {
  const test::TempDir folder;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 * 1024, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  LogSpool spool(folder.path().string(), 1024 * 1024);
  const auto added = spool.add(LogStream::err, much);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message,
            "spool the log in " + folder.path().string() + ": File too large");
}

}  // namespace
}  // namespace sidecar_executor::task
