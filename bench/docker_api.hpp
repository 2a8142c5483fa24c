#pragma once
// A bare client of the Docker engine on a Unix socket, one connection a call. Errors are
// exceptions: a benchmark that cannot measure ends.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sx_bench {

class DockerApi {
 public:
  /// `host` as in DOCKER_HOST; only unix:// is known here.
  explicit DockerApi(const std::string& host);
  [[nodiscard]] const std::string& socket_path() const { return path_; }

  struct Answer {
    int status = 0;
    std::string body;
    double at = 0;  ///< when its last byte had come
  };
  [[nodiscard]] Answer call(const std::string& method, const std::string& target) const;

  /// All containers, running or not, of the executors of this task.
  [[nodiscard]] std::vector<std::string> containers_of(const std::string& task_id) const;
  /// Those of every task whose id begins so.
  [[nodiscard]] std::vector<std::string> containers_with_prefix(const std::string& prefix) const;
  /// Follows a container's log from its beginning, with time stamps, and throws it away: seconds
  /// from the first byte to the last of so many. `pause` (seconds) between two reads; `each` is
  /// told how many bytes a read brought.
  [[nodiscard]] double follow_log(const std::string& id, std::uint64_t bytes, double pause,
                                  const std::function<void(std::size_t)>& each) const;
  void remove(const std::string& id) const;

 private:
  std::string path_;
};

/// A connected descriptor.
int connect_unix(const std::string& path);

}  // namespace sx_bench
