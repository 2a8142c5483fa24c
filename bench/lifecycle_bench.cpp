// Measures sidecar-executor below mini-agent and a real dockerd; docs/performance.md has the
// figures and how to read them. bench/run.sh calls it.

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "page.hpp"
#include "scenarios.hpp"
#include "svg.hpp"

namespace {

using namespace sx_bench;

constexpr const char* kUsage =
    "usage: lifecycle_bench [--runs N] [--quick] [--json FILE] [--docs FOLDER] [--only WORD]...\n"
    "\n"
    "  --runs N         samples of each latency (20; of starts twice as many)\n"
    "  --quick          5 samples, 10 executors at once, short waits: for a first look only\n"
    "  --crowd N        executors at once (50)\n"
    "  --json FILE      every sample\n"
    "  --docs FOLDER    writes lifecycle-latency.svg and memory.svg there, and the table into its\n"
    "                   performance.md, between the two lines that say so; not with --only\n"
    "  --only WORD      starts, exits, launches, idle, copies, sidecar or relay\n"
    "  --executor PATH, --mini-agent PATH, --wrapper PATH\n"
    "\n"
    "DOCKER_HOST names the Docker engine; the image sx-bench:1 has to be there.\n"
    "Exit code: 0 all within their limits, 1 a median is over its limit, 2 could not measure.\n";

struct Options {
  Plan plan;
  std::string json_file;
  std::string docs;
  std::vector<std::string> only;
  bool help = false;

  [[nodiscard]] bool wants(const std::string& what) const {
    return only.empty() || std::find(only.begin(), only.end(), what) != only.end();
  }
};

int whole(const std::string& text) {
  const int number = std::atoi(text.c_str());
  if (number < 1) throw std::runtime_error("expected a number above 0, found " + text);
  return number;
}

Options parse(int argc, char** argv) {
  Options options;
  Plan& plan = options.plan;
  const auto here = std::filesystem::canonical("/proc/self/exe").parent_path();
  plan.programs = {here / "../sidecar-executor", here / "../tools/mini-agent/mini-agent",
                   SX_SOURCE_DIR "/scripts/executor.sh"};
  const char* host = std::getenv("DOCKER_HOST");
  plan.docker_host = host != nullptr && *host != 0 ? host : "unix:///var/run/docker.sock";
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&]() -> std::string {
      if (i + 1 >= argc) throw std::runtime_error(name + " needs a value");
      return argv[++i];
    };
    if (name == "--runs") {
      plan.runs = whole(value());
    } else if (name == "--crowd") {
      plan.crowd = whole(value());
    } else if (name == "--quick") {
      plan.runs = 5;
      plan.crowd = 10;
      plan.idle_seconds = 5;
      plan.watch_seconds = 10;
    } else if (name == "--json") {
      options.json_file = value();
    } else if (name == "--docs") {
      options.docs = value();
    } else if (name == "--only") {
      options.only.push_back(value());
    } else if (name == "--executor") {
      plan.programs.executor = value();
    } else if (name == "--mini-agent") {
      plan.programs.mini_agent = value();
    } else if (name == "--wrapper") {
      plan.programs.wrapper = value();
    } else if (name == "--help") {
      options.help = true;
    } else {
      throw std::runtime_error("unknown argument " + name + "\n" + kUsage);
    }
  }
  if (!options.docs.empty() && !options.only.empty()) {
    throw std::runtime_error("--docs is for one run of everything, without --only");
  }
  for (auto* program :
       {&plan.programs.executor, &plan.programs.mini_agent, &plan.programs.wrapper}) {
    *program = std::filesystem::canonical(*program);
  }
  return options;
}

/// Also of runs that an error or Ctrl-C cut short.
class CleanUp {
 public:
  explicit CleanUp(const DockerApi& docker) : docker_(docker) {}
  ~CleanUp() {
    try {
      for (const auto& id : docker_.containers_with_prefix(task_prefix())) docker_.remove(id);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "lifecycle_bench: containers may be left: %s\n", error.what());
    }
  }
  CleanUp(const CleanUp&) = delete;
  CleanUp& operator=(const CleanUp&) = delete;

 private:
  const DockerApi& docker_;
};

void write_docs(const Options& options, const std::string& where, const Figures& figures) {
  write_file(options.docs + "/lifecycle-latency.svg", latency_plot(figures));
  write_file(options.docs + "/memory.svg", memory_plot(figures));
  update_page(options.docs + "/performance.md", "bench", where + ".\n\n" + markdown_table(figures));
}

int run(const Options& options) {
  const Plan& plan = options.plan;
  const DockerApi docker(plan.docker_host);
  const CleanUp clean_up(docker);
  const std::string where = circumstances();
  std::printf("%s\n\n", where.c_str());
  std::fflush(stdout);
  Figures figures;
  Breakdown steps;
  if (options.wants("starts")) measure_starts(plan, figures);
  if (options.wants("launches")) steps = measure_launches_and_kills(plan, docker, figures);
  if (options.wants("exits")) measure_exits(plan, docker, figures);
  if (options.wants("idle")) measure_idle(plan, figures);
  if (options.wants("sidecar")) measure_sidecar(plan, figures);
  if (options.wants("relay")) measure_relay(plan, docker, figures);
  if (options.wants("copies")) measure_copies(plan, figures);
  measure_binary(plan, figures);

  std::printf("\n%s", text_table(figures).c_str());
  if (!steps.empty()) std::printf("\nFrom LAUNCH to the start request, median ms:\n");
  for (const auto& [name, value] : steps) std::printf("  %6.2f  %s\n", value, name.c_str());
  if (!options.docs.empty()) write_docs(options, where, figures);
  if (!options.json_file.empty()) {
    const boost::json::object all{{"where", where}, {"figures", to_json(figures)}};
    write_file(options.json_file, boost::json::serialize(all) + "\n");
  }
  bool over = false;
  for (const auto& figure : figures) over = over || figure.over();
  return over ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    if (options.help) {
      std::fputs(kUsage, stdout);
      return 0;
    }
    catch_signals();
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lifecycle_bench: %s\n", error.what());
    return 2;
  }
}
