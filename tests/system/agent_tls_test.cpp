// An agent with https (LIBPROCESS_SSL_*), over a whole task with the real binary.
#include <filesystem>

#include "support/system.hpp"

namespace sx_test {
namespace {

class AgentTlsTest : public SystemTest {
 protected:
  void SetUp() override {
    char path[] = "/tmp/sx-tls-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    dir_ = path;
    authority("ca");
    issue("server", "ca", "subjectAltName=IP:127.0.0.1");
  }
  void TearDown() override {
    std::filesystem::remove_all(dir_);
    SystemTest::TearDown();
  }

  [[nodiscard]] std::string file(const std::string& name) const { return dir_ + "/" + name; }
  void authority(const std::string& name) const {
    openssl({"req", "-x509", "-subj", "/CN=" + name, "-days", "2", "-keyout", file(name + ".key"),
             "-out", file(name + ".pem")});
  }
  void issue(const std::string& name, const std::string& by, const std::string& extension) const {
    openssl({"req", "-x509", "-CA", file(by + ".pem"), "-CAkey", file(by + ".key"), "-subj",
             "/CN=" + name, "-days", "2", "-addext", extension, "-addext",
             "basicConstraints=critical,CA:FALSE", "-keyout", file(name + ".key"), "-out",
             file(name + ".pem")});
  }

  /// https agent; the executor gets these LIBPROCESS_SSL_ variables.
  [[nodiscard]] RunOptions https(
      const std::vector<std::pair<std::string, std::string>>& variables) const {
    RunOptions options;
    options.agent_arguments = {"--tls-cert",       file("server.pem"),   "--tls-key",
                               file("server.key"), "--recovery-timeout", "2secs"};
    options.executor_environment.emplace_back("LIBPROCESS_SSL_ENABLED", "1");
    for (const auto& [name, value] : variables)
      options.executor_environment.emplace_back("LIBPROCESS_SSL_" + name, value);
    return options;
  }
  static void expect_finished(const RunResult& run) {
    EXPECT_EQ(run.states(),
              (std::vector<std::string>{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}))
        << run.transcript();
    EXPECT_EQ(run.executor_exit, 0) << run.transcript();
  }
  /// The agent is not spoken to, and the log says why.
  static void expect_refused(const RunResult& run, const std::string& why) {
    EXPECT_TRUE(run.updates.empty()) << run.transcript();
    EXPECT_EQ(run.executor_exit, 1) << run.transcript();
    EXPECT_NE(run.out.find(why), std::string::npos) << run.transcript();
  }

 private:
  static void openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    arguments.insert(arguments.begin() + 2,
                     {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"});
    EXPECT_EQ(run_command(arguments).code, 0) << arguments[1];
  }
  std::string dir_;
};

TEST_F(AgentTlsTest, VerifiedByItsAuthority) {
  const TaskBuilder task("/bin/true");
  expect_finished(
      run_task(task, https({{"CA_FILE", file("ca.pem")}, {"VERIFY_SERVER_CERT", "true"}})));
}

TEST_F(AgentTlsTest, BackAfterARestart) {
  const TaskBuilder task("/bin/sh -c 'sleep 3'");
  auto options = https({{"CA_FILE", file("ca.pem")}, {"VERIFY_SERVER_CERT", "true"}});
  options.agent_arguments.insert(
      options.agent_arguments.end(),
      {"--recovery-timeout", "15mins", "--restart-after", "1", "--down", "0.5"});
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(run.executor_exit, 0) << run.transcript();
}

/// Mesos' default.
TEST_F(AgentTlsTest, WithoutVerificationNoAuthorityIsNeeded) {
  const TaskBuilder task("/bin/true");
  expect_finished(run_task(task, https({})));
}

TEST_F(AgentTlsTest, AnotherAuthorityIsRefused) {
  authority("other");
  const TaskBuilder task("/bin/true");
  const auto run =
      run_task(task, https({{"CA_FILE", file("other.pem")}, {"VERIFY_SERVER_CERT", "true"}}));
  expect_refused(run, "certificate refused: unable to get local issuer certificate");
}

TEST_F(AgentTlsTest, AnotherHostsCertificateIsRefused) {
  issue("server", "ca", "subjectAltName=DNS:elsewhere.example");
  const TaskBuilder task("/bin/true");
  const auto run =
      run_task(task, https({{"CA_FILE", file("ca.pem")}, {"VERIFY_SERVER_CERT", "true"}}));
  expect_refused(run, "certificate refused: IP address mismatch");
}

TEST_F(AgentTlsTest, ClientCertificateIsShown) {
  issue("client", "ca", "extendedKeyUsage=clientAuth");
  auto options = https({{"CA_FILE", file("ca.pem")},
                        {"VERIFY_SERVER_CERT", "true"},
                        {"CERT_FILE", file("client.pem")},
                        {"KEY_FILE", file("client.key")}});
  options.agent_arguments.insert(options.agent_arguments.end(),
                                 {"--tls-client-ca", file("ca.pem")});
  const TaskBuilder task("/bin/true");
  expect_finished(run_task(task, options));
}

TEST_F(AgentTlsTest, MissingClientCertificateIsSaid) {
  auto options = https({});
  options.agent_arguments.insert(options.agent_arguments.end(),
                                 {"--tls-client-ca", file("ca.pem")});
  const TaskBuilder task("/bin/true");
  expect_refused(run_task(task, options), "the server wants a client certificate");
}

/// http to an https port.
TEST_F(AgentTlsTest, NotEnabledIsNoAnswer) {
  auto options = https({});
  options.executor_environment = {{"LIBPROCESS_SSL_ENABLED", "0"}};
  const TaskBuilder task("/bin/true");
  expect_refused(run_task(task, options), "http://127.0.0.1:");
}

}  // namespace
}  // namespace sx_test
