#include "docker/ulimits.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace sidecar_executor::docker {

namespace json = boost::json;

bool is_ulimit_name(std::string_view name) {
  // github.com/docker/go-units, ulimit.go
  constexpr std::string_view names[] = {"core",    "cpu",      "data",   "fsize",      "locks",
                                        "memlock", "msgqueue", "nice",   "nofile",     "nproc",
                                        "rss",     "rtprio",   "rttime", "sigpending", "stack"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

void set_ulimit(json::array& all, std::string_view name, std::int64_t soft, std::int64_t hard) {
  const auto same = std::find_if(all.begin(), all.end(), [name](const json::value& limit) {
    return limit.at("Name").as_string() == name;
  });
  if (same != all.end()) all.erase(same);
  all.push_back(json::object{{"Name", name}, {"Soft", soft}, {"Hard", hard}});
}

}  // namespace sidecar_executor::docker
