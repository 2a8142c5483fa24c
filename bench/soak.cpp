// Many executors at once for a long time, in which tasks come and go: is memory flat, are
// descriptors flat? docs/soak.md has the outcome; make soak runs it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include "agent_run.hpp"
#include "clock.hpp"
#include "docker_api.hpp"
#include "figure.hpp"
#include "page.hpp"
#include "soak_crowd.hpp"
#include "soak_plot.hpp"

namespace {

using namespace sx_bench;

constexpr double kInterval = 5;      ///< seconds between samples
constexpr double kMoreMemory = 0.5;  ///< MB that a member of the control group may grow

struct Options {
  SoakCrowd::Options crowd;
  double seconds = 900;
  std::string docs;
};

Options parse(int argc, char** argv) {
  Options options;
  const auto here = std::filesystem::canonical("/proc/self/exe").parent_path();
  options.crowd.programs = {std::filesystem::canonical(here / "../sidecar-executor"),
                            std::filesystem::canonical(here / "../tools/mini-agent/mini-agent"),
                            ""};
  const char* host = std::getenv("DOCKER_HOST");
  options.crowd.docker_host = host != nullptr && *host != 0 ? host : "unix:///var/run/docker.sock";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--seconds") {
      options.seconds = std::stod(value);
    } else if (name == "--crowd") {
      options.crowd.crowd = std::stoi(value);
    } else if (name == "--docs") {
      options.docs = value;
    } else {
      throw std::runtime_error("unknown argument " + name +
                               " (there are --seconds N, --crowd N, --docs FOLDER)");
    }
  }
  return options;
}

double median(const SoakSamples& samples, double from, double to,
              const std::function<double(const SoakSample&)>& value) {
  Figure all;
  for (const auto& sample : samples) {
    const double part = sample.at / samples.back().at;
    if (part >= from && part <= to) all.values.push_back(value(sample));
  }
  return all.median();
}

struct Row {
  const char* name;
  std::function<double(const SoakSample&)> value;
};

/// Each at the second quarter, when all have started, and at the last.
std::string table(const SoakSamples& samples) {
  const Row rows[] = {
      {"executors", [](const SoakSample& s) { return s.executors; }},
      {"memory, PSS sum, MB", [](const SoakSample& s) { return s.pss_mb; }},
      {"memory, anonymous sum, MB", [](const SoakSample& s) { return s.anonymous_mb; }},
      {"highest resident memory, MB", [](const SoakSample& s) { return s.rss_max_mb; }},
      {"descriptors, sum", [](const SoakSample& s) { return s.descriptors; }},
      {"most descriptors of one", [](const SoakSample& s) { return s.descriptors_max; }},
      {"threads, sum", [](const SoakSample& s) { return s.threads; }},
      {"control group: highest resident memory, MB",
       [](const SoakSample& s) { return s.control_rss_max_mb; }},
      {"control group: anonymous memory, mean, MB",
       [](const SoakSample& s) { return s.control_anonymous_mb; }},
      {"control group: descriptors, mean",
       [](const SoakSample& s) { return s.control_descriptors; }}};
  std::string out = "| median of | second quarter | last quarter |\n|---|---:|---:|\n";
  for (const auto& row : rows) {
    out += std::string("| ") + row.name + " | " + shown(median(samples, 0.25, 0.5, row.value)) +
           " | " + shown(median(samples, 0.75, 1, row.value)) + " |\n";
  }
  return out;
}

/// Of the control group: the others are never the same.
bool flat(const SoakSamples& samples) {
  const auto grown = [&samples](const std::function<double(const SoakSample&)>& value) {
    return median(samples, 0.75, 1, value) - median(samples, 0.25, 0.5, value);
  };
  return grown([](const SoakSample& s) { return s.control_rss_max_mb; }) <= kMoreMemory &&
         grown([](const SoakSample& s) { return s.control_anonymous_mb; }) <= kMoreMemory &&
         grown([](const SoakSample& s) { return s.control_descriptors; }) < 0.5;
}

SoakSamples soak(SoakCrowd& crowd, double seconds) {
  SoakSamples samples;
  const double start = now();
  crowd.start();
  double next = start + kInterval;
  while (now() - start < seconds) {
    crowd.churn();
    rest(0.1);
    if (now() < next) continue;
    next += kInterval;
    samples.push_back(crowd.look(now() - start));
    const auto& s = samples.back();
    std::printf("%6.0f s  %3d executors  PSS %.1f MB  anonymous %.1f MB  descriptors %d\n", s.at,
                s.executors, s.pss_mb, s.anonymous_mb, s.descriptors);
    std::fflush(stdout);
  }
  crowd.stop();
  return samples;
}

/// What an error or Ctrl-C leaves.
void remove_containers(const DockerApi& docker) {
  for (const auto& id : docker.containers_with_prefix(task_prefix())) docker.remove(id);
}

int run(const Options& options) {
  const DockerApi docker(options.crowd.docker_host);
  const std::string where = circumstances();
  SoakCrowd crowd(options.crowd);
  const auto samples = soak(crowd, options.seconds);
  remove_containers(docker);
  if (samples.size() < 8) throw std::runtime_error("too short: at least 40 s are needed");
  std::string text = table(samples) + "\nTasks by their end:";
  bool well = flat(samples);
  for (const auto& [end, count] : crowd.ends()) {
    text += " " + end + " " + std::to_string(count) + ";";
    if (end != "TASK_FINISHED" && end != "TASK_KILLED") well = false;
  }
  text.back() = '.';
  std::printf("\n%s\n\n%s\nmemory and descriptors of the control group: %s\n", where.c_str(),
              text.c_str(), flat(samples) ? "flat" : "NOT flat");
  if (!options.docs.empty()) {
    write_file(options.docs + "/soak.svg", soak_plot(samples));
    update_page(options.docs + "/soak.md", "soak", where + ".\n\n" + text + "\n");
  }
  return well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    catch_signals();
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "soak: %s\n", error.what());
    return 2;
  }
}
