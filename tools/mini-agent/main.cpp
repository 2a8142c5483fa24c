#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "agent.hpp"
#include "locate.hpp"
#include "report.hpp"

namespace {

using namespace mini_agent;

int complain(int code, const std::string& text) {
  std::fprintf(stderr, "mini-agent: %s\n", text.c_str());
  return code;
}

void listen_for_signals(boost::asio::signal_set& signals, MiniAgent& agent) {
  signals.async_wait([&signals, &agent](boost::system::error_code error, int number) {
    if (error) return;
    number == SIGINT ? agent.interrupt() : agent.terminate();
    listen_for_signals(signals, agent);
  });
}

int run(Options options) {
  options.executor = locate_executor(options);
  Task task;
  try {
    task = load_task(options.task_path, options.executor);
  } catch (const std::exception& error) {
    return complain(kUsage, error.what());
  }
  boost::asio::io_context io(1);
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  const Reporter report = options.json ? json_reporter() : human_reporter(options);
  MiniAgent agent(io, options, std::move(task), [&](const boost::json::object& event) {
    report(event);
    if (event.at("event") == "exit") signals.cancel();
  });
  listen_for_signals(signals, agent);
  try {
    agent.start();
  } catch (const std::exception& error) {
    return complain(kCannotStart, error.what());
  }
  io.run();
  return agent.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // stdout may go to a pager that was closed
  try {
    const Options options = parse_options(std::vector<std::string>(argv + 1, argv + argc));
    if (options.help) {
      std::fputs(usage().c_str(), stdout);
      return 0;
    }
    return run(options);
  } catch (const UsageError& error) {
    return complain(kUsage, std::string(error.what()) + "\ntry mini-agent --help");
  } catch (const std::exception& error) {
    return complain(kCannotStart, error.what());
  }
}
