// Secrets of Vault in a whole run: what reaches the container, what it says when it cannot, and
// that nothing the executor writes holds a secret.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "system/vault_run.hpp"

namespace sx_test {
namespace {

/// The container's environment, byte by byte, as it sees it: ends with NUL after each variable.
std::string environment_in(const std::string& folder) { return read_file(folder + "/environ"); }

TEST_F(VaultTest, SecretsReachTheContainerByteByByte) {
  std::string large;
  while (large.size() < 64UL * 1024) large += "0123456789 abcdef=\"'$\\\n";
  const std::vector<std::pair<std::string, std::string>> secrets{
      {"LINES", "first\nsecond\n\nlast\n"},
      {"EQUALS", "a=b=c="},
      {"QUOTES", R"(it's "quoted" \ $HOME `id` %s)"},
      {"LARGE", large},
      {"UNICODE", "p\xc3\xa4ssw\xc3\xb6rd \xe2\x82\xac \xf0\x9f\x94\x91"},
      {"BLANKS", "  \t both ends  "},
      {"VAULTISH", "vault://is/not/resolved/again"},
  };
  json::object values{{"NUMBER", 5432}, {"YES", true}};
  for (const auto& [name, value] : secrets) values[name] = value;
  content_["kv1"].as_object()["secret"].as_object()["odd"] = values;

  const std::string out = path("out");
  std::filesystem::create_directory(out);
  TaskBuilder task("/bin/sh -c 'cat /proc/self/environ > /out/environ'");
  task.container()["volumes"] =
      json::array{{{"host_path", out}, {"container_path", "/out"}, {"mode", "RW"}}};
  for (const auto& value : values) {
    task.executor_env(value.key(), "vault://secret/odd?key=" + std::string(value.key()));
  }
  const auto result = run(task);
  ASSERT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  const std::string seen = std::string(1, '\0') + environment_in(out);
  for (const auto& [name, value] : secrets) {
    std::string whole(1, '\0');
    whole.append(name).append("=").append(value).append(1, '\0');
    EXPECT_TRUE(says(seen, whole)) << name;
  }
  EXPECT_TRUE(says(seen, std::string("\0NUMBER=5432\0", 13)));
  EXPECT_TRUE(says(seen, std::string("\0YES=true\0", 10)));
  EXPECT_EQ(count_of(calls(result), "GET /v1/secret/odd"), 1) << "each path once";
}

TEST_F(VaultTest, VersionsOfAKeyValueStore) {
  TaskBuilder task(
      "/bin/sh -c '[ $OLD = first-version ] && [ $NEW = third-version ] && [ $ONE = s3cr3t-value "
      "]'");
  task.executor_env("OLD", "vault://kv/app?version=1");
  task.executor_env("NEW", "vault://kv/app");
  task.executor_env("ONE", "vault://secret/db");
  const auto result = run(task);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_EQ(count_of(calls(result), "GET /v1/kv/data/app?version=1"), 1);
  EXPECT_EQ(count_of(calls(result), "GET /v1/kv/data/app"), 1);
}

/// The requests of the Go executor's record vault_token.json, which are the compatible part.
TEST_F(VaultTest, AsksWhatTheGoExecutorAsked) {
  TaskBuilder task("/bin/true");
  task.executor_env("DB", "vault://secret/db").executor_env("DBUSER", "vault://secret/db?key=user");
  RunOptions options;
  options.executor_environment = {{"VAULT_TOKEN", "s.the-teams-own-token"}};
  options.agent_arguments = {"--vault-fault", "403,path=sys/internal"};
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_EQ(calls(result),
            (States{"GET /v1/sys/internal/ui/mounts/secret/db", "GET /v1/secret/db"}));
  for (const auto& request : events_named(result, "vault_request")) {
    if (!request.at("fault").as_bool()) EXPECT_EQ(request.at("token").as_string(), "team");
    EXPECT_EQ(request.at("request_header").as_string(), "true");
  }
  EXPECT_EQ(count_of(at_the_end(result, "tokens"), "team"), 1) << "not ours to revoke";
}

TEST_F(VaultTest, NothingIsAskedWhenNothingIsNeeded) {
  TaskBuilder task("/bin/true");
  task.executor_env("URL", "http://vault://x");
  const auto result = run(task);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_EQ(calls(result), States{});
}

struct Refusal {
  const char* name;
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<std::string> arguments;
  const char* value;
  std::vector<std::string> said;
  const char* look_at;  ///< in the summary; empty: no such line
};

class VaultRefusalTest : public VaultTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(VaultRefusalTest, IsTaskFailedWithTheReason) {
  const auto& row = GetParam();
  TaskBuilder task("/bin/true");
  task.executor_env("DB_LOGIN", row.value);
  RunOptions options;
  options.executor_environment = row.environment.empty() ? userpass() : row.environment;
  options.executor_environment.emplace_back("VAULT_MAX_RETRIES", "0");
  options.executor_environment.emplace_back("VAULT_CLIENT_TIMEOUT", "2s");
  options.agent_arguments = row.arguments;
  const auto result = run(task, options);
  EXPECT_EQ(result.states(), (States{"TASK_STARTING", "TASK_FAILED"})) << result.transcript();
  EXPECT_EQ(result.last().reason, "REASON_CONTAINER_LAUNCH_FAILED");
  EXPECT_TRUE(says(result.last().message, "DB_LOGIN")) << result.last().message;
  for (const auto& text : row.said) {
    EXPECT_TRUE(says(result.last().message, text)) << result.last().message;
  }
  const auto line = result.err.find("  look at     ");
  const std::string look_at = line == std::string::npos ? "" : result.err.substr(line + 14);
  EXPECT_TRUE(look_at.empty() == std::string(row.look_at).empty() && says(look_at, row.look_at))
      << result.err;
  EXPECT_TRUE(containers_of(task.id()).empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, VaultRefusalTest,
    ::testing::Values(Refusal{"WrongPassword",
                              {{"VAULT_USERNAME", "exec"}, {"VAULT_PASSWORD", "a-wrong-one"}},
                              {},
                              "vault://secret/db",
                              {"log in by userpass", "invalid username or password"},
                              "Vault refused the login: "},
                      Refusal{"LoginDenied",
                              {},
                              {"--vault-fault", "403,path=auth/userpass"},
                              "vault://secret/db",
                              {"log in by userpass", "HTTP 403"},
                              "Vault refused the login: "},
                      Refusal{"NobodyListens",
                              {{"VAULT_ADDR", "http://127.0.0.1:1"},
                               {"VAULT_USERNAME", "exec"},
                               {"VAULT_PASSWORD", "x"}},
                              {},
                              "vault://secret/db",
                              {"log in by userpass", "Connection refused"},
                              "Vault is down, or the way to it is barred"},
                      Refusal{"LoginHangs",
                              {},
                              {"--vault-fault", "hang,path=auth/userpass"},
                              "vault://secret/db",
                              {"log in by userpass", "no answer within"},
                              "Vault is slow"},
                      Refusal{"PathDenied",
                              {},
                              {"--vault-fault", "403,path=secret/"},
                              "vault://secret/db",
                              {"HTTP 403"},
                              "does not let this token read the path"},
                      Refusal{"NoSuchPath",
                              {},
                              {},
                              "vault://secret/none",
                              {"Vault has no secret secret/none"},
                              "nothing is at this path"},
                      Refusal{"NoSuchKey",
                              {},
                              {},
                              "vault://secret/db?key=nokey",
                              {"secret/db has no key nokey", "it has: ", "user", "value"},
                              "has no such key"},
                      Refusal{"DeletedVersion",
                              {},
                              {},
                              "vault://kv/app?version=2",
                              {"version 2 of", "deleted"},
                              "this version of the secret is gone: "},
                      Refusal{"BadReference", {}, {}, "vault://secret/%zz", {"two hex digits"}, ""},
                      Refusal{"Sealed",
                              {},
                              {"--vault-fault", "sealed"},
                              "vault://secret/db",
                              {"Vault is sealed"},
                              "somebody has to unseal it"},
                      Refusal{"ServerError",
                              {},
                              {"--vault-fault", "500,path=secret/"},
                              "vault://secret/db",
                              {"GET http://", "/v1/secret/db", "HTTP 500"},
                              "Vault, or a proxy before it, failed"},
                      Refusal{"Hangs",
                              {},
                              {"--vault-fault", "hang,path=secret/"},
                              "vault://secret/db",
                              {"no answer within"},
                              "Vault is slow"},
                      Refusal{"CutOff",
                              {},
                              {"--vault-fault", "truncate,path=secret/"},
                              "vault://secret/db",
                              {"cut off"},
                              "Vault is down"},
                      Refusal{"NoJson",
                              {},
                              {"--vault-fault", "html,path=secret/"},
                              "vault://secret/db",
                              {"the answer is no JSON object"},
                              "something else than Vault answers"},
                      Refusal{"BadSetting",
                              {{"VAULT_ADDR", "vault:8200"}},
                              {},
                              "vault://secret/db",
                              {"VAULT_ADDR=\"vault:8200\" is not a URL"},
                              "the VAULT_ variables that the message names"}),
    [](const auto& info) { return info.param.name; });

TEST_F(VaultTest, PassingFaultsAreRetriedAndAStandbyIsFollowed) {
  TaskBuilder task("/bin/sh -c '[ $DB = s3cr3t-value ]'");
  task.executor_env("DB", "vault://secret/db");
  RunOptions options;
  options.agent_arguments = {"--vault-standby", "--vault-fault", "503,path=secret/,times=1",
                             "--vault-fault", "429,path=auth/userpass,times=1"};
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
}

TEST_F(VaultTest, ATokenRevokedUnderUsIsReplacedOnce) {
  TaskBuilder task("/bin/sh -c '[ $DB = s3cr3t-value ]'");
  task.executor_env("DB", "vault://secret/db");
  RunOptions options;
  options.executor_environment = userpass();
  options.executor_environment.emplace_back("VAULT_TOKEN", "s.dead-since-yesterday");
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_EQ(count_of(calls(result), "POST /v1/auth/userpass/login/exec"), 1);
}

// ---- fifty at once -----------------------------------------------------------------------------

/// One Vault for all: a mini-agent that starts no executor.
class LoneVault {
 public:
  explicit LoneVault(std::vector<std::string> arguments) {
    std::vector<std::string> argv{SX_MINI_AGENT, "--json", "--no-executor", "--shutdown-grace",
                                  "0"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], 1);
      ::close(ends[0]);
      ::close(ends[1]);
      std::vector<char*> raw;
      raw.reserve(argv.size() + 1);
      for (auto& argument : argv) raw.push_back(argument.data());
      raw.push_back(nullptr);
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    out_ = ::fdopen(ends[0], "r");
    while (address.empty()) {
      const auto line = next();
      if (line.empty()) break;
      if (line.at("event").as_string() == "vault_listening")
        address = line.at("address").as_string();
    }
  }
  ~LoneVault() { end(); }
  LoneVault(const LoneVault&) = delete;
  LoneVault& operator=(const LoneVault&) = delete;

  /// Its last line, once it was told to end.
  json::object end() {
    json::object last;
    if (pid_ <= 0) return last;
    ::kill(pid_, SIGTERM);
    for (auto line = next(); !line.empty(); line = next()) {
      if (line.at("event").as_string() == "vault_end") last = line;
    }
    ::waitpid(pid_, nullptr, 0);
    ::fclose(out_);
    pid_ = -1;
    return last;
  }
  std::string address;

 private:
  json::object next() {
    char* text = nullptr;
    std::size_t size = 0;
    const ssize_t got = ::getline(&text, &size, out_);
    json::object line;
    if (got > 0)
      line = json::parse(std::string_view(text, static_cast<std::size_t>(got))).as_object();
    ::free(text);
    return line;
  }
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
};

TEST_F(VaultTest, FiftyExecutorsWithOneStaleTokenFileLogInOnce) {
  const int executors = 50;
  write("token", "s.of-last-week");
  std::filesystem::last_write_time(
      path("token"), std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 7));
  auto arguments = vault_arguments();
  TaskBuilder idle("/bin/true");
  write("idle.json", idle.text());
  arguments.push_back(path("idle.json"));
  LoneVault vault(arguments);
  ASSERT_FALSE(vault.address.empty());

  // Each ends right after its secrets were read: Docker refuses to create so small a container.
  std::vector<pid_t> agents;
  agents.reserve(executors);
  for (int i = 0; i < executors; ++i) {
    TaskBuilder task("/bin/true");
    task.executor_env("DB", "vault://secret/db");
    task.memory(1);
    const std::string file = path("task" + std::to_string(i) + ".json");
    std::ofstream(file) << task.text();
    std::vector<std::string> argv{SX_MINI_AGENT, "--executor", SX_EXECUTOR, "--timeout", "60"};
    for (const auto& variable :
         {"DOCKER_HOST=" + std::string(::getenv("DOCKER_HOST")), "VAULT_ADDR=" + vault.address,
          std::string("EXECUTOR_FORCE_MEMORY_LIMIT=true"), std::string("VAULT_USERNAME=exec"),
          std::string("VAULT_PASSWORD=hunter2-Passw0rd"), "VAULT_TOKEN_FILE=" + path("token")}) {
      argv.insert(argv.end(), {"--env", variable});
    }
    argv.push_back(file);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const std::string out = file + ".out";
      if (::freopen(out.c_str(), "w", stdout) == nullptr) ::_exit(126);
      std::vector<char*> raw;
      raw.reserve(argv.size() + 1);
      for (auto& argument : argv) raw.push_back(argument.data());
      raw.push_back(nullptr);
      ::execv(raw[0], raw.data());
      ::_exit(127);
    }
    agents.push_back(pid);
  }
  for (const pid_t pid : agents) ::waitpid(pid, nullptr, 0);
  int read = 0;
  for (int i = 0; i < executors; ++i) {
    const std::string out = read_file(path("task" + std::to_string(i) + ".json.out"));
    if (says(out, "inimum memory limit")) ++read;
  }
  EXPECT_EQ(read, executors) << "each came as far as Docker's refusal";
  const auto end = vault.end();
  ASSERT_FALSE(end.empty());
  EXPECT_EQ(end.at("logins").as_int64(), 1) << json::serialize(end);
  EXPECT_NE(read_file(path("token")), "s.of-last-week");
  struct stat info{};
  ASSERT_EQ(::stat(path("token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace sx_test
