// The pure code that runs for every event, frame, log line or task.
#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "docker/container_spec.hpp"
#include "docker/frames.hpp"
#include "mesos/recordio.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor {
namespace {

/// The largest of examples/: what Singularity sends for a service.
std::string task_text() {
  std::ifstream file(SX_SOURCE_DIR "/examples/singularity-service.json", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (text.str().empty()) std::abort();
  return text.str();
}

std::int64_t as_count(std::size_t size) { return static_cast<std::int64_t>(size); }

/// A stream of events in chunks as sockets give them.
void recordio_decode(benchmark::State& state) {
  const std::string record(static_cast<std::size_t>(state.range(0)), 'x');
  std::string stream;
  for (int i = 0; i < 64; ++i) stream += mesos::encode_record(record);
  constexpr std::size_t chunk = 4096;
  std::vector<std::string> records;
  for (auto _ : state) {
    mesos::RecordIoDecoder decoder;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      records.clear();
      const auto fed = decoder.feed(std::string_view(stream).substr(at, chunk), records);
      benchmark::DoNotOptimize(fed.has_value());
      benchmark::DoNotOptimize(records.data());
    }
  }
  state.SetBytesProcessed(state.iterations() * as_count(stream.size()));
}
BENCHMARK(recordio_decode)->Arg(64)->Arg(4096)->Arg(65536);

/// A container's log, one line a frame.
void frames_decode(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string stream;
  for (int i = 0; i < 64; ++i) {
    stream += {'\1',
               '\0',
               '\0',
               '\0',
               '\0',
               '\0',
               static_cast<char>(size >> 8),
               static_cast<char>(size & 0xff)};
    stream.append(size, 'x');
  }
  constexpr std::size_t chunk = 16384;
  std::size_t bytes = 0;
  const docker::FrameDecoder::Sink sink = [&bytes](docker::LogStream, std::string_view payload,
                                                   bool) { bytes += payload.size(); };
  for (auto _ : state) {
    docker::FrameDecoder decoder(false);
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      const auto fed = decoder.feed(std::string_view(stream).substr(at, chunk), sink);
      benchmark::DoNotOptimize(fed.has_value());
    }
    benchmark::DoNotOptimize(bytes);
  }
  state.SetBytesProcessed(state.iterations() * as_count(stream.size()));
}
BENCHMARK(frames_decode)->Arg(100)->Arg(8000);

void log_line(benchmark::State& state) {
  const auto time = std::chrono::system_clock::now();
  const std::string image = "registry.example.com/team/service:2026-11-23";
  for (auto _ : state) {
    benchmark::DoNotOptimize(format_log_line(time, LogLevel::info, "Container started",
                                             {{"container", "mesos-1a3406af-ef90-56d1"},
                                              {"image", image},
                                              {"message", "with blanks and \"quotes\""}}));
  }
}
BENCHMARK(log_line);

void task_info_from_text(benchmark::State& state) {
  const std::string text = task_text();
  for (auto _ : state) {
    const auto task = mesos::parse_task_info(boost::json::parse(text));
    benchmark::DoNotOptimize(task.has_value());
  }
  state.SetBytesProcessed(state.iterations() * as_count(text.size()));
}
BENCHMARK(task_info_from_text);

void create_body_of_task(benchmark::State& state) {
  const auto task = mesos::parse_task_info(boost::json::parse(task_text())).value();
  const Settings settings;
  docker::SpecInputs inputs;
  inputs.settings = &settings;
  for (auto _ : state) {
    const auto spec = docker::make_container_spec(task, inputs);
    if (!spec) return state.SkipWithError(spec.error().message.c_str());
    benchmark::DoNotOptimize(docker::create_body(*spec, spec->env));
  }
}
BENCHMARK(create_body_of_task);

}  // namespace
}  // namespace sidecar_executor

BENCHMARK_MAIN();
