// Programs that hang, fail, print nonsense or are not there.
#include "docker/credential_helper.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/folder_on_path.hpp"
#include "support/run.hpp"

namespace sidecar_executor::docker {
namespace {

using namespace std::chrono_literals;

class CredentialHelperTest : public ::testing::Test {
 protected:
  void program(const std::string& script) { programs_.program("docker-credential-test", script); }
  Result<std::string> ask(const std::string& name = "test", net::Duration limit = 20s) {
    return loop.run([&] {
      return ask_credential_helper(loop.executor(), {name, "registry.example.com", "f"}, stop,
                                   limit);
    });
  }
  [[nodiscard]] std::string contents(const char* name) const {
    std::ifstream file(folder_ / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  test::Loop loop;
  net::Cancellation stop;
  test::TempDir folder_;
  test::FolderOnPath programs_{folder_.path()};
};

TEST_F(CredentialHelperTest, GetsTheRegistryOnStdin) {
  program("echo \"$1 $(cat)\"; echo noise >&2");
  const auto said = ask();
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(*said, "get registry.example.com\n");
}

TEST_F(CredentialHelperTest, ThatFailsIsQuoted) {
  program("echo 'no such profile'; exit 3");
  const auto said = ask();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::refused);
  EXPECT_EQ(said.error().message,
            "docker-credential-test failed with exit code 3: no such profile ");
}

TEST_F(CredentialHelperTest, ThatKnowsNothingIsNotFound) {
  program("echo 'credentials not found in native keychain'; exit 1");
  const auto said = ask();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::not_found);
}

TEST_F(CredentialHelperTest, ThatIsKilledIsSaid) {
  program("kill -9 $$");
  const auto said = ask();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message, "docker-credential-test failed with signal 9: ");
}

TEST_F(CredentialHelperTest, ThatHangsIsKilledWithItsChildren) {
  program("sleep 1000 & sleep 1000");
  const auto said = ask("test", 100ms);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::timeout);
  EXPECT_EQ(said.error().message, "docker-credential-test did not answer within 100 ms");
}

TEST_F(CredentialHelperTest, ThatClosesItsOutputAndHangsIsKilled) {
  program("exec >&-; exec sleep 1000");
  const auto said = ask("test", 100ms);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::timeout);
}

TEST_F(CredentialHelperTest, ThatPrintsWithoutEndIsStopped) {
  program("yes");
  const auto said = ask();
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::too_large);
}

TEST_F(CredentialHelperTest, ThatIsNotThereIsNamed) {
  const auto said = ask("absent");
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::invalid);
  EXPECT_EQ(said.error().message,
            "docker-credential-absent cannot be started: No such file or directory; it has to be "
            "on the PATH of the executor");
}

TEST_F(CredentialHelperTest, IsNeverAPath) {
  program("touch \"$(dirname \"$0\")/ran\"");
  for (const auto* name : {"../test", "test; true", "", ".test"}) {
    const auto said = ask(name);
    ASSERT_FALSE(said) << name;
    EXPECT_EQ(said.error().kind, ErrorKind::invalid);
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "ran"));
}

TEST_F(CredentialHelperTest, CancellingEndsIt) {
  program("echo started; sleep 1000");
  auto asked =
      loop.start([&] { return ask_credential_helper(loop.executor(), {"test", "r", "f"}, stop); });
  loop.poll();
  EXPECT_FALSE(asked.ended());
  stop.cancel();
  const auto said = loop.finish(asked, 10s);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace sidecar_executor::docker
