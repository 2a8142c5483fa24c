// Files and folders of the host that a task names, as an operator gets them wrong.
#include "docker/host_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/run.hpp"

namespace sidecar_executor::docker {
namespace {

class HostFilesTest : public ::testing::Test {
 protected:
  static std::string problem(const std::string& path) {
    const auto read = read_host_file(path);
    return read ? "none" : std::string(to_string(read.error().kind)) + ": " + read.error().message;
  }
  test::TempDir dir_;
};

TEST_F(HostFilesTest, WhatIsNoSmallFileIsNotRead) {
  const std::string big = dir_ / "big";
  std::ofstream(big) << std::string(1024 * 1024, 'x');
  ASSERT_TRUE(read_host_file(big));
  std::ofstream(big, std::ios::app) << "x";
  EXPECT_EQ(problem(big), "too large: " + big + ": larger than 1 MiB");
  const std::string fifo = dir_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(problem(fifo), "invalid: " + fifo + ": not a regular file");
  EXPECT_EQ(problem(dir_ / "none"),
            "not found: " + (dir_ / "none") + ": No such file or directory");
}

TEST_F(HostFilesTest, AFolderThatCannotBeMadeIsNamed) {
  const std::string deep = dir_ / "a/b/c";
  EXPECT_TRUE(make_directories({deep, deep}));
  EXPECT_TRUE(std::filesystem::is_directory(deep));
  std::ofstream(dir_ / "file") << "x";
  const std::string below = dir_ / "file/b";
  const auto made = make_directories({dir_ / "d", below});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message,
            "cannot make the folder " + below + " of a volume: Not a directory");
}

}  // namespace
}  // namespace sidecar_executor::docker
