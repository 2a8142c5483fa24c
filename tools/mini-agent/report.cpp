#include "report.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>

#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kTailLines = 20;
constexpr std::size_t kMessageWidth = 400;

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? std::string(value->get_string()) : print_as_agent(*value);
}

std::string text_at_pointer(const json::value& value, std::string_view pointer) {
  json::error_code missing;
  const json::value* found = value.find_pointer(pointer, missing);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

// Control characters in a message must not move the operator's cursor.
std::string one_line(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, kMessageWidth)) {
    if (c == '\n') {
      out += " ";
    } else {
      out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
    }
  }
  return text.size() > kMessageWidth ? out + "..." : out;
}

std::string printf_double(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

std::string size_of(std::uintmax_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  if (bytes < 1024 * 1024) return printf_double("%.1f KiB", static_cast<double>(bytes) / 1024);
  return printf_double("%.1f MiB", static_cast<double>(bytes) / (1024 * 1024));
}

class Page {
 public:
  explicit Page(const Options& options) : quiet_(options.quiet), tail_(options.tail) {
    const char* no_color = std::getenv("NO_COLOR");
    colours_ = ::isatty(STDOUT_FILENO) && !(no_color && *no_color);
  }

  void show(const json::object& event) {
    const std::string name = text_at(event, "event");
    now_ = event.at("t").to_number<double>();
    if (name == "sandbox") sandbox_ = text_at(event, "path");
    if (name == "launched") launched_ = now_;
    if (name == "executor_exit") ended_ = now_;
    if (name == "exit") return summary(event);
    if (quiet_) return;
    if (name == "listening") {
      header(event);
    } else if (name == "update" || name == "agent_update") {
      update(event);
    } else {
      note(name, event);
    }
    std::fflush(stdout);
  }

 private:
  std::string paint(const char* code, const std::string& text) const {
    return colours_ ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  }
  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }

  static const char* colour_of(const std::string& state) {
    if (state == "TASK_RUNNING" || state == "TASK_FINISHED") return "32";
    if (state == "TASK_STARTING") return "36";
    if (state == "TASK_KILLING" || state == "TASK_KILLED") return "33";
    return "31";
  }

  void line(const std::string& text) const {
    const double since = launched_ < 0 ? 0 : now_ - launched_;
    const std::string time = launched_ < 0 ? "        -" : printf_double("%8.3fs", since);
    std::printf("%s  %s\n", dim(time).c_str(), text.c_str());
  }

  void field(const char* name, const std::string& value) const {
    if (value.empty()) return;
    char left[32];
    std::snprintf(left, sizeof(left), "  %-9s ", name);
    std::printf("%s%s\n", dim(left).c_str(), value.c_str());
  }

  void header(const json::object& event) const {
    std::printf("%s %s\n", bold("mini-agent").c_str(), text_at(event, "task_id").c_str());
    field("agent", text_at(event, "agent") + dim("  master ") + text_at(event, "master"));
    field("sandbox", sandbox_);
    std::printf("\n");
  }

  void update(const json::object& event) {
    const json::object& status = event.at("status").as_object();
    const std::string state = text_at(status, "state");
    terminal_ = terminal_ ||
                (state != "TASK_STARTING" && state != "TASK_RUNNING" && state != "TASK_KILLING");
    std::string text = state;
    const bool bare = !status.contains("message") && !status.contains("container_status");
    if (!bare) text.resize(std::max<std::size_t>(text.size(), 13), ' ');
    text = paint(colour_of(state), text);
    const std::string ip = text_at_pointer(
        event.at("status"), "/container_status/network_infos/0/ip_addresses/0/ip_address");
    if (!ip.empty()) text += "  " + ip;
    if (const json::value* healthy = status.if_contains("healthy"); healthy && healthy->is_bool()) {
      text += "  " + (healthy->get_bool() ? paint("32", "healthy") : paint("31", "unhealthy"));
    }
    if (const auto message = text_at(status, "message"); !message.empty()) {
      text += "  " + one_line(message);
    }
    if (const auto reason = text_at(status, "reason"); !reason.empty()) {
      text += "  " + dim(reason);
    }
    if (text_at(event, "duplicate") == "true") text += dim("  (sent again)");
    if (text_at(event, "acknowledged") == "false") text += dim("  (not acknowledged)");
    if (text_at(event, "event") == "agent_update") text += dim("  (by the agent)");
    line(text);
  }

  void note(const std::string& name, const json::object& event) const {
    const std::string grace = text_at(event, "grace");
    const bool lost = text_at(event, "delivered") == "false";
    const std::string missed = lost ? paint("31", "  (lost: not subscribed)") : "";
    if (name == "kill_sent") {
      const std::string policy = grace.empty() ? "" : dim("  grace " + grace + "s");
      line(bold("KILL ") + text_at(event, "task_id") + policy + missed);
    } else if (name == "shutdown_sent") {
      line(bold("SHUTDOWN") + dim("  " + text_at(event, "why") + ", SIGKILL in " + grace) + missed);
    } else if (name == "message_sent") {
      line(bold("MESSAGE") + dim("  to the executor") + missed);
    } else if (name == "launched" || name == "second_launch_sent") {
      line(bold(text_at(event, "group") == "true" ? "LAUNCH_GROUP " : "LAUNCH ") +
           text_at(event, "task_id"));
    } else if (name == "subscribed") {
      const std::string again =
          text_at(event, "n") == "1" ? "" : " again (" + text_at(event, "n") + ")";
      line(dim("subscribed" + again));
    } else if (name == "executor_pid") {
      line(dim("executor " + text_at(event, "command") + ", pid " + text_at(event, "pid")));
    } else if (name == "refused") {
      const bool expected = text_at(event, "expected") == "true";
      line(paint(expected ? "33" : "1;31", "REFUSED  ") + text_at(event, "call") + " with " +
           text_at(event, "status") + ": " + text_at(event, "text"));
    } else if (name == "violation") {
      line(paint("1;31", "WRONG  ") + text_at(event, "text"));
    } else if (name == "executor_killed") {
      line(paint("31", "SIGKILL  ") + text_at(event, "why"));
    } else if (name == "executor_exit") {
      line(dim("executor ended: " + process_end(event, "code", "signal")));
    } else {
      other_note(name, event);
    }
  }

  void other_note(const std::string& name, const json::object& event) const {
    if (name == "acknowledged" || name == "sandbox" || name == "heartbeat_received") return;
    if (name == "sidecar_polled") return;
    if (name == "stream_ended" && terminal_) return;  // the executor leaves
    if (name == "environment") {
      for (const auto& variable : event.at("variables").as_array()) {
        std::printf("%s\n", variable.as_string().c_str());
      }
      return;
    }
    std::string text = name;
    std::replace(text.begin(), text.end(), '_', ' ');
    for (const char* detail : {"what", "why", "call", "status", "address", "id"}) {
      if (const auto value = text_at(event, detail); !value.empty()) text += ": " + value;
    }
    line(dim(text));
  }

  static std::string process_end(const json::object& event, const char* code, const char* signal) {
    if (const auto number = text_at(event, signal); !number.empty()) {
      const char* name = ::sigabbrev_np(std::atoi(number.c_str()));
      return "killed by SIG" + (name ? std::string(name) : number);
    }
    const auto number = text_at(event, code);
    return number.empty() ? "" : "exit code " + number;
  }

  void summary(const json::object& event) const {
    const std::string state = text_at(event, "state");
    const double end = ended_ < 0 ? now_ : ended_;
    const double took = launched_ < 0 ? end : end - launched_;
    const std::string duration = printf_double("%.3fs", took);
    std::printf("\n%s  %s\n",
                paint((std::string("1;") + colour_of(state)).c_str(),
                      state.empty() ? "NO TERMINAL UPDATE" : state)
                    .c_str(),
                dim("after " + duration).c_str());
    field("message", one_line(text_at(event, "message")));
    field("reason", text_at(event, "reason"));
    field("executor", process_end(event, "executor_code", "executor_signal"));
    for (const auto& text : event.at("violations").as_array()) {
      field("wrong", paint("1;31", one_line(std::string(text.as_string()))));
    }
    if (text_at(event, "code") == "70") field("time-out", paint("31", "--timeout passed"));
    field("sandbox", text_at(event, "sandbox"));
    files();
    if (tail_) tail();
    std::fflush(stdout);
  }

  void files() const {
    std::string list;
    std::error_code ignored;
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(sandbox_, ignored)) {
      if (++count > 8) break;
      if (!list.empty()) list += ", ";
      list += entry.path().filename().string();
      if (entry.is_regular_file(ignored)) list += " " + dim(size_of(entry.file_size(ignored)));
    }
    field("", list + (count > 8 ? ", ..." : ""));
  }

  void tail() const {
    std::ifstream file(sandbox_ + "/stderr");
    std::deque<std::string> lines;
    for (std::string text; std::getline(file, text);) {
      lines.push_back(text);
      if (lines.size() > kTailLines) lines.pop_front();
    }
    if (lines.empty()) return;
    std::printf("\n%s\n", dim("  the executor's stderr").c_str());
    for (const auto& text : lines) std::printf("  %s %s\n", dim("|").c_str(), text.c_str());
  }

  bool quiet_, tail_, colours_ = false;
  double now_ = 0, launched_ = -1, ended_ = -1;
  bool terminal_ = false;
  std::string sandbox_;
};

}  // namespace

Reporter json_reporter() {
  return [](const json::object& event) {
    std::printf("%s\n", print_as_agent(event).c_str());
    std::fflush(stdout);
  };
}

Reporter human_reporter(const Options& options) {
  return [page = std::make_shared<Page>(options)](const json::object& event) { page->show(event); };
}

}  // namespace mini_agent
