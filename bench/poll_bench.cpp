// What it costs to ask a Sidecar for one service's health, against the size of the cluster's state:
// whole polls over loopback by the executor's own client, beside a client that parses the document
// with Boost.JSON, and the scanner alone. Idle is a process that has polled a small state before.
// docs/performance.md shows the figures.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "cost.hpp"
#include "figure.hpp"
#include "page.hpp"
#include "poll_plot.hpp"
#include "sidecar/client.hpp"
#include "sidecar/state_scanner.hpp"
#include "state_document.hpp"
#include "state_server.hpp"

namespace {

using namespace sx_bench;
namespace sx = sidecar_executor;
namespace asio = boost::asio;

constexpr const char* kUsage =
    "usage: poll_bench [--docs FOLDER]\n"
    "\n"
    "  --docs FOLDER  writes sidecar-poll.svg there, and the table into its performance.md\n"
    "\n"
    "Exit code: 0 all within their limits, 1 a median is over its limit, 2 could not measure.\n";

constexpr std::size_t kMegabyte = 1'000'000;
constexpr auto kPatience = std::chrono::seconds(60);

sx::net::Url url_of(unsigned short port, const std::string& path) {
  auto url = sx::net::parse_url("http://127.0.0.1:" + std::to_string(port) + path);
  if (!url) throw std::runtime_error(url.error().message);
  return *url;
}

/// Runs a coroutine function to its end.
template <typename F>
auto run(F function) {
  asio::io_context io(1);
  using T = typename std::invoke_result_t<F, asio::any_io_executor>::value_type;
  std::optional<T> result;
  asio::co_spawn(io, function(io.get_executor()), [&](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    result.emplace(std::move(value));
  });
  io.run();
  return std::move(result.value());
}

void poll(const sx::net::Url& url) {
  const auto seen =
      run([&url](asio::any_io_executor executor) -> asio::awaitable<sx::sidecar::Observation> {
        sx::net::Cancellation cancellation;
        sx::sidecar::ClientConfig config;
        config.url = url;
        config.timeout = kPatience;
        config.retry_delay = kPatience;
        config.host = kOurHost;
        sx::sidecar::Client client(executor, config);
        co_return co_await client.status(kOurService, cancellation);
      });
  const auto* status = std::get_if<sx::sidecar::Status>(&seen);
  if (status == nullptr) throw std::runtime_error(std::get<sx::sidecar::NoAnswer>(seen).why);
  if (*status != sx::sidecar::Status::unhealthy) throw std::runtime_error("a wrong status");
}

void check_parsed(const boost::json::value& root) {
  const auto& services = root.at("Servers").at(kOurHost).at("Services");
  if (services.at(kOurService).at("Status").to_number<int>() != kOurStatus) {
    throw std::runtime_error("a wrong status");
  }
}

/// The same connection and the same reads; the parser gets the bytes as they come.
asio::awaitable<sx::Result<bool>> parse_all(asio::any_io_executor executor, sx::net::Url url) {
  sx::net::HttpConnection connection(executor, url.address);
  sx::net::HttpRequest request;
  request.target = url.path;
  const auto head = co_await connection.open(std::move(request), kPatience);
  if (!head) co_return head.error();
  boost::json::stream_parser parser;
  std::string chunk(64UL * 1024, '\0');
  for (;;) {
    const auto got = co_await connection.read_some(chunk.data(), chunk.size(), kPatience);
    if (!got) co_return got.error();
    if (*got == 0) break;
    parser.write(chunk.data(), *got);
  }
  check_parsed(parser.release());
  co_return true;
}

void parse(const sx::net::Url& url) {
  const auto done =
      run([&url](asio::any_io_executor executor) { return parse_all(std::move(executor), url); });
  if (!done) throw std::runtime_error(done.error().message);
}

void scan(const std::string& document) {
  sx::sidecar::StateScanner scanner(kOurHost, kOurService);
  constexpr std::size_t kChunk = 64UL * 1024;
  for (std::size_t at = 0; at < document.size(); at += kChunk) {
    scanner.feed(std::string_view(document).substr(at, kChunk));
  }
  if (scanner.status() != kOurStatus) throw std::runtime_error("a wrong status");
}

struct Size {
  int megabytes;
  int runs;
  double cpu_limit;  ///< ms
  double go_cpu;     ///< ms; 0: not measured
  double go_memory;  ///< MB
};

Figure figure(const std::string& kind, const std::string& what, const std::string& unit,
              int megabytes) {
  Figure result;
  result.id = kind + std::to_string(megabytes);
  result.name = what + std::to_string(megabytes) + " MB";
  result.unit = unit;
  return result;
}

void with_go(Figure& figure, double value) {
  if (value == 0) return;
  figure.go_value = value;
  figure.go = shown(value);
}

void measure_size(const Size& size, Figures& figures) {
  Figure cpu = figure("poll_cpu_", "poll: processor time, state of ", "ms", size.megabytes);
  Figure memory =
      figure("poll_memory_", "poll: peak memory above idle, state of ", "MB", size.megabytes);
  Figure parse_cpu =
      figure("parse_cpu_", "the same with a full parse: processor time, ", "ms", size.megabytes);
  Figure parse_memory =
      figure("parse_memory_", "the same with a full parse: peak memory, ", "MB", size.megabytes);
  if (size.cpu_limit > 0) cpu.limit = size.cpu_limit;
  memory.limit = 1;
  with_go(cpu, size.go_cpu);
  with_go(memory, size.go_memory);
  const StateServer server(static_cast<std::size_t>(size.megabytes) * kMegabyte);
  const auto small = url_of(server.port(), "/small"), big = url_of(server.port(), "/state.json");
  poll(small);  // until the server has made its documents
  for (int i = 0; i < size.runs; ++i) {
    const Cost ours = cost_of([&] { poll(small); }, [&] { poll(big); });
    const Cost parsed = cost_of([&] { parse(small); }, [&] { parse(big); });
    cpu.values.push_back(ours.cpu_ms);
    memory.values.push_back(ours.memory_mb);
    parse_cpu.values.push_back(parsed.cpu_ms);
    parse_memory.values.push_back(parsed.memory_mb);
  }
  for (auto* one : {&cpu, &memory, &parse_cpu, &parse_memory}) figures.push_back(std::move(*one));
}

/// 1 GB/s is 100 ms.
void measure_scanner(Figures& figures) {
  const std::string document = state_document(100 * kMegabyte);
  Figure scanner = figure("scan_", "the scanner alone, from memory, ", "ms", 100);
  Figure parser = figure("parse_", "Boost.JSON alone, from memory, ", "ms", 100);
  scanner.limit = 100;
  for (int i = 0; i < 5; ++i) {
    scanner.values.push_back(cost_of([] {}, [&] { scan(document); }).cpu_ms);
    parser.values.push_back(
        cost_of([] {}, [&] { check_parsed(boost::json::parse(document)); }).cpu_ms);
  }
  figures.push_back(std::move(scanner));
  figures.push_back(std::move(parser));
}

int measure(const std::string& docs) {
  const std::string where = circumstances();
  Figures figures;
  const Size sizes[] = {{1, 9, 2, 13.6, 0}, {5, 9, 0, 0, 0},          {20, 9, 20, 211, 0},
                        {50, 5, 0, 0, 0},   {100, 5, 100, 1035, 640}, {200, 3, 0, 0, 0}};
  measure_scanner(figures);
  Figures polls;
  for (const Size& size : sizes) measure_size(size, polls);
  for (const char* kind : {"poll_cpu_", "poll_memory_", "parse_cpu_", "parse_memory_"}) {
    for (const auto& one : polls) {
      if (one.id.starts_with(kind)) figures.push_back(one);
    }
  }
  std::printf("%s\n\n%s", where.c_str(), text_table(figures).c_str());
  if (!docs.empty()) {
    write_file(docs + "/sidecar-poll.svg", poll_plot(figures));
    update_page(docs + "/performance.md", "poll bench", where + ".\n\n" + markdown_table(figures));
  }
  bool over = false;
  for (const auto& one : figures) over = over || one.over();
  return over ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool with_docs = argc == 3 && std::string_view(argv[1]) == "--docs";
  if (argc != 1 && !with_docs) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    return measure(with_docs ? argv[2] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "poll_bench: %s\n", error.what());
    return 2;
  }
}
