#include "page.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "figure.hpp"

namespace sx_bench {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

std::string circumstances() {
  std::string model = "unknown processor";
  std::istringstream lines(read_file("/proc/cpuinfo"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  utsname system{};
  ::uname(&system);
  double load[3] = {};
  if (::getloadavg(load, 3) < 1) load[0] = 0;
  char date[32];
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &parts);
  return std::string(date) + ", " + std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " x " +
         model + ", " + system.sysname + " " + system.release + ", load average before " +
         shown(load[0]);
}

void update_page(const std::string& path, const std::string& mark, const std::string& content) {
  const std::string begin = "<!-- " + mark + ": begin -->\n";
  const std::string end = "<!-- " + mark + ": end -->";
  std::string page = read_file(path);
  const auto from = page.find(begin);
  const auto to = page.find(end);
  if (from == std::string::npos || to == std::string::npos) {
    throw std::runtime_error(path + " lacks the lines " + begin + end);
  }
  page.replace(from + begin.size(), to - from - begin.size(), content);
  write_file(path, page);
}

}  // namespace sx_bench
