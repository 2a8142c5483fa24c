// examples/definitions: what `sidecar-executor render` makes of each, word for word; and the
// deploys of ../shared/singularity, which become the TaskInfos that a real Singularity made of
// them.

#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "app/render.hpp"
#include "golden_files.hpp"

namespace sidecar_executor::golden {
namespace {

struct Output {
  int code = 0;
  std::string out;
  std::string err;
};

Output rendered(std::string text) {
  app::RenderInputs inputs;
  inputs.text = std::move(text);
  inputs.environment = [](std::string_view) { return std::optional<std::string>(); };
  inputs.host_cpus = 8;
  std::ostringstream out;
  std::ostringstream err;
  Output result;
  result.code = app::render(inputs, out, err);
  result.out = out.str();
  result.err = err.str();
  return result;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::filesystem::path definitions() {
  return std::filesystem::path(SX_SOURCE_DIR) / "examples/definitions";
}

std::vector<std::string> example_names() {
  std::vector<std::string> out;
  for (const auto& file : std::filesystem::directory_iterator(definitions()))
    out.push_back(file.path().stem());
  std::sort(out.begin(), out.end());
  return out;
}

class Examples : public testing::TestWithParam<std::string> {};

TEST_P(Examples, RenderAsInTheFile) {
  const auto path = folder("examples-expected") / (GetParam() + ".txt");
  const auto result = rendered(text_of(definitions() / (GetParam() + ".json")));
  const auto now = "exit code " + std::to_string(result.code) + "\n" + result.err + result.out;
  const auto before = text_of(path);
  const char* update = std::getenv("SX_UPDATE_GOLDEN");
  if (now != before && update != nullptr && *update == '1') std::ofstream(path) << now;
  EXPECT_EQ(before, now) << "SX_UPDATE_GOLDEN=1 rewrites the file";
  EXPECT_EQ(result.out.empty(), result.code != 0);
}

INSTANTIATE_TEST_SUITE_P(Definitions, Examples, testing::ValuesIn(example_names()), test_name);

/// The TaskInfos beside them, which mini-agent runs.
TEST(Render, TakesEveryExample) {
  int seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(definitions().parent_path())) {
    if (file.path().extension() != ".json") continue;
    ++seen;
    const auto result = rendered(text_of(file.path()));
    EXPECT_EQ(result.code, 0) << file.path() << ": " << result.err;
    EXPECT_NE(json::parse(result.out).at("Image").as_string(), "") << file.path();
  }
  EXPECT_GE(seen, 8);
}

TEST(Render, RefusesWhatIsNoTask) {
  const struct {
    const char* text;
    const char* says;
  } table[] = {
      {"", "refused: not JSON: incomplete JSON in line 1, column 1\n"},
      {"{\n  \"a\": 1,\n  b\n}", "refused: not JSON: syntax error in line 3, column 3\n"},
      {"{\n} x", "refused: not JSON: extra data in line 2, column 3\n"},
      {"[]",
       "refused: expected a TaskInfo (task_id, container), a LAUNCH event (launch) or a "
       "Singularity "
       "deploy (deploy or containerInfo), found no object\n"},
      {R"({"id":"/web","cmd":"x"})",
       "refused: expected a TaskInfo (task_id, container), a LAUNCH event (launch) or a "
       "Singularity "
       "deploy (deploy or containerInfo), found an object with id, cmd\n"},
      {R"({"task_id":{}})", "refused: task_id.value: missing\n"},
      {R"({"type":"LAUNCH","launch":{}})", "refused: launch.task: missing\n"},
      {R"({"task_id":{"value":"t"}})",
       "refused: container: missing; this executor runs Docker containers only\n"},
  };
  for (const auto& row : table) {
    const auto result = rendered(row.text);
    EXPECT_EQ(result.code, 1) << row.text;
    EXPECT_EQ(result.err, row.says);
    EXPECT_EQ(result.out, "");
  }
}

/// Fields that nobody reads, however deep.
TEST(Render, ListsWhatIsNotUsed) {
  const auto deploy = rendered(
      R"({"deploy":{"id":"d","requestId":"r","arguments":["x"],"resources":{"gpus":1},
          "containerInfo":{"type":"DOCKER","mesos":{},"docker":{"image":"i","extra":1},
          "volumes":[{"containerPath":"/a","hostPath":"/b","mode":"RW","odd":1}]}}})");
  EXPECT_EQ(deploy.code, 0) << deploy.err;
  for (const char* line :
       {"ignored: deploy.arguments: the container's command is the label executor.ShellCommand",
        "ignored: deploy.resources.gpus: not used", "ignored: deploy.containerInfo.mesos: not used",
        "ignored: deploy.containerInfo.docker.extra: not used",
        "ignored: deploy.containerInfo.volumes[0].odd: not used"})
    EXPECT_NE(deploy.err.find(line), std::string::npos) << line << "\n" << deploy.err;
  const auto task = rendered(
      R"({"task_id":{"value":"t"},"lables":{},"container":{"type":"DOCKER",
          "docker":{"image":"i","odd":1}}})");
  for (const char* line : {"ignored: lables: not used", "ignored: container.docker.odd: not used",
                           "note: container.docker.network is missing; Mesos makes HOST of that"})
    EXPECT_NE(task.err.find(line), std::string::npos) << line << "\n" << task.err;
}

TEST(Render, SettingsAreThoseOfTheTask) {
  const auto result = rendered(
      R"({"task_id":{"value":"t"},"container":{"type":"DOCKER","docker":{"image":"i"}},
          "executor":{"command":{"environment":{"variables":[
            {"name":"EXECUTOR_HTTP_TIMEOUT","value":"soon"}]}}}})");
  EXPECT_EQ(result.code, 78);
  EXPECT_NE(result.err.find("bad setting: EXECUTOR_HTTP_TIMEOUT=\"soon\""), std::string::npos);
}

/// Secrets: value secrets are hidden, references are shown as what they are.
TEST(Render, ShowsNoSecret) {
  const auto result = rendered(text_of(definitions() / "aurora-api.json"));
  EXPECT_NE(result.out.find("API_KEY=[REDACTED]"), std::string::npos);
  EXPECT_EQ((result.out + result.err).find("not-a-real-key"), std::string::npos);
  EXPECT_NE(result.out.find("DB_PASSWORD=vault://secret/api/db?key=password"), std::string::npos);
}

}  // namespace
}  // namespace sidecar_executor::golden
