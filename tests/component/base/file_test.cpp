// Small files: read to a limit, replaced at once.
#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "component/net/http_test.hpp"

namespace sidecar_executor {
namespace {

Result<std::string> read(const std::string& path, std::size_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_error(path, errno);
  return read_up_to(file.get(), path, limit);
}

std::size_t files_in(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(File, IsReadUpToItsLimitAndAByteMore) {
  const test::TempDir folder;
  const std::string path = folder / "f";
  const std::string bytes(40'000, 'x');
  ASSERT_TRUE(replace_file(path, bytes, 0600, Durable::no));
  EXPECT_EQ(*read(path, 40'000), bytes);
  EXPECT_EQ(read(path, 39'999)->size(), 40'000U) << "one more than the limit";
  EXPECT_EQ(read(path, 100)->size(), 101U);
}

TEST(File, AbsentIsNotFoundAndAFolderIsInvalid) {
  const test::TempDir folder;
  EXPECT_EQ(read(folder / "none", 10).error().kind, ErrorKind::not_found);
  EXPECT_EQ(read(folder / ".", 10).error().kind, ErrorKind::invalid);
}

TEST(File, IsReplacedWithItsModeAndNothingIsLeftBesideIt) {
  const test::TempDir folder;
  const std::string path = folder / "f";
  ASSERT_TRUE(replace_file(path, "old and longer", 0600, Durable::yes));
  ASSERT_TRUE(replace_file(path, "new", 0600, Durable::yes));
  EXPECT_EQ(*read(path, 100), "new");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(files_in(folder / "."), 1U);
}

TEST(File, ThatCannotBeReplacedStaysAsItWas) {
  const test::TempDir folder;
  const std::string path = folder / "taken";
  std::filesystem::create_directory(path);  // rename() refuses to put a file over it
  const auto done = replace_file(path, "new", 0600, Durable::no);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find(path), std::string::npos) << done.error().message;
  EXPECT_TRUE(std::filesystem::is_directory(path));
  EXPECT_EQ(files_in(folder / "."), 1U) << "nothing left beside it";
  EXPECT_FALSE(replace_file(folder / "none/f", "new", 0600, Durable::no));
}

}  // namespace
}  // namespace sidecar_executor
