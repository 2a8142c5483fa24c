// Sidecar's state document with our host last: the scanner beside a full parse with Boost.JSON.
// A cluster of N MB: hosts with 100 services of about 350 bytes each.
#include <benchmark/benchmark.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <map>
#include <string>

#include "sidecar/state_scanner.hpp"

namespace sidecar_executor::sidecar {
namespace {

std::string service(const std::string& id, const std::string& host, int status) {
  return "\"" + id + R"(":{"ID":")" + id + R"(","Name":"service-)" + id +
         R"(","Image":"registry.example.com/team/service:2026.01.02-1234567",)"
         R"("Created":"2026-01-02T03:04:05Z","Hostname":")" +
         host +
         R"(","Ports":[{"Type":"tcp","Port":31001,"ServicePort":8080,"IP":"10.0.0.1"}],)"
         R"("Updated":"2026-01-02T03:04:05.123456789Z","ProxyMode":"http","Status":)" +
         std::to_string(status) + "}";
}

const std::string& document(std::int64_t megabytes) {
  static std::map<std::int64_t, std::string> kept;
  std::string& out = kept[megabytes];
  if (!out.empty()) return out;
  const std::size_t size = static_cast<std::size_t>(megabytes) * 1024 * 1024;
  out = R"({"ClusterName":"default","Servers":{)";
  const auto add_host = [&out](const std::string& host, const std::string& last) {
    out += "\"" + host + R"(":{"Name":")" + host + R"(","Services":{)";
    for (int i = 0; i < 99; ++i) out += service(std::to_string(100000000000 + i), host, 0) + ",";
    out += service(last, host, 2) + R"(},"LastUpdated":"x","LastChanged":"y"})";
  };
  for (int host = 0; out.size() < size; ++host) {
    add_host("host" + std::to_string(host) + ".example.com", "aaaaaaaaaaaa");
    out += ",";
  }
  add_host("our-host.example.com", "0123456789ab");
  return out += "}}";
}

void scanner(benchmark::State& state) {
  const std::string& text = document(state.range(0));
  constexpr std::size_t chunk = 64 * 1024;
  for (auto _ : state) {
    StateScanner scan("our-host.example.com", "0123456789ab");
    for (std::size_t at = 0; at < text.size(); at += chunk) {
      if (scan.feed(std::string_view(text).substr(at, chunk)) != StateScanner::Progress::reading)
        break;
    }
    if (scan.progress() != StateScanner::Progress::found || scan.status() != 2) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void full_parse(benchmark::State& state) {
  const std::string& text = document(state.range(0));
  for (auto _ : state) {
    const auto root = boost::json::parse(text);
    const auto& entry =
        root.at("Servers").at("our-host.example.com").at("Services").at("0123456789ab");
    if (entry.at("Status").to_number<int>() != 2) std::abort();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

BENCHMARK(scanner)->Arg(1)->Arg(20)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(full_parse)->Arg(1)->Arg(20)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sidecar_executor::sidecar

BENCHMARK_MAIN();
