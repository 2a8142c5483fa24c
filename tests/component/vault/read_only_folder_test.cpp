// VAULT_TOKEN_FILE where nothing can be written, for root either: logins without it, no failure.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>

#include "component/vault/vault_test.hpp"
#include "vault/secrets.hpp"

namespace sidecar_executor::vault {
namespace {

const std::string login = "POST /v1/auth/userpass/login/exec";

/// Root may write whatever the mode says: for root, a read-only mount that only this process sees.
/// The process does not come back from there; each test has one of its own under ctest.
class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    if (::geteuid() == 0) mount_here();
  }
  ~ReadOnlyFolder() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    ::chmod(path_.c_str(), 0755);
  }
  ReadOnlyFolder(const ReadOnlyFolder&) = delete;
  ReadOnlyFolder& operator=(const ReadOnlyFolder&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    ::chmod((path_ + "/" + name).c_str(), 0600);
  }
  /// From now on nobody writes.
  void close() const {
    if (mounted_) {
      ASSERT_EQ(::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    } else {
      ASSERT_EQ(::chmod(path_.c_str(), 0555), 0);
    }
    ASSERT_FALSE(std::ofstream(path_ + "/probe").is_open()) << "this folder can be written";
  }

 private:
  void mount_here() {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "root without CAP_SYS_ADMIN";
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("none", path_.c_str(), "tmpfs", 0, "size=64k"), 0);
    mounted_ = true;
  }
  std::string path_;
  bool mounted_ = false;
};

class VaultReadOnlyFolderTest : public VaultComponentTest {
 protected:
  void SetUp() override {
    with_login(dir / "readonly/token");
    server.serve([](const SeenRequest& request) {
      const std::string what = request.method + " " + request.target;
      if (what == login) return login_answer("s.new", 87000);
      const std::string token = request.header("X-Vault-Token");
      if (token != "s.new" && token != "s.good") return errors(403, "permission denied");
      if (what == "POST /v1/auth/token/renew-self") return login_answer("s.new", 87000);
      if (what == "GET /v1/auth/token/lookup-self") return lookup_answer();
      return what == "GET /v1/secret/a" ? secret_answer("A") : errors(404, "");
    });
  }
  /// What the task gets.
  std::string resolved() {
    Client one = client();
    Secrets secrets(one, log);
    const auto got = loop.run([&] { return secrets.resolve({"A=vault://secret/a"}); });
    return got ? got->front() : "error: " + got.error().message;
  }
  ReadOnlyFolder folder{dir / "readonly"};
};

TEST_F(VaultReadOnlyFolderTest, LogsInWithAWarning) {
  ASSERT_NO_FATAL_FAILURE(folder.close());
  EXPECT_EQ(resolved(), "A=A");
  EXPECT_EQ(count(login), 1);
  EXPECT_TRUE(was_logged("VAULT_TOKEN_FILE cannot be locked, logging in without")) << logged();
  EXPECT_TRUE(was_logged("VAULT_TOKEN_FILE cannot be written")) << logged();
  EXPECT_TRUE(was_logged(settings.token_file)) << "names the file: " << logged();
  EXPECT_FALSE(was_logged("s.new"));
}

TEST_F(VaultReadOnlyFolderTest, ATokenThatNobodyAcceptsThereIsReplacedForThisTask) {
  folder.write("token", "s.revoked");
  ASSERT_NO_FATAL_FAILURE(folder.close());
  EXPECT_EQ(resolved(), "A=A");
  EXPECT_EQ(count(login), 1);
  EXPECT_TRUE(was_logged("VAULT_TOKEN_FILE cannot be written")) << logged();
}

TEST_F(VaultReadOnlyFolderTest, AGoodTokenThereIsReused) {
  folder.write("token", "s.good");
  ASSERT_NO_FATAL_FAILURE(folder.close());
  EXPECT_EQ(resolved(), "A=A");
  EXPECT_EQ(count(login), 0);
  EXPECT_FALSE(was_logged("cannot be")) << logged();
}

}  // namespace
}  // namespace sidecar_executor::vault
