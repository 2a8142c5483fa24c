#pragma once
// Forwards bytes between an executor and dockerd and notes when each request and each answer went
// by. It adds one hop (some 50 microseconds) to what it measures: its threads and their connections
// to dockerd are there before the executor asks.

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "file_descriptor.hpp"

namespace sx_bench {

class DockerProxy {
 public:
  struct Exchange {
    std::string request;  ///< `POST /v1.41/containers/create`, query left out
    double asked = 0;     ///< CLOCK_MONOTONIC seconds: head of the request read
    double answered = 0;  ///< first byte of the answer read; 0 = not yet
  };

  explicit DockerProxy(std::string docker_socket);
  ~DockerProxy();
  DockerProxy(const DockerProxy&) = delete;
  DockerProxy& operator=(const DockerProxy&) = delete;

  [[nodiscard]] std::string host() const { return "unix://" + path_; }
  /// What went by since the last call, in order.
  std::vector<Exchange> take();

 private:
  void serve();
  void forward(FileDescriptor client, FileDescriptor docker);
  void note_request(std::string_view bytes, std::size_t& current);
  void note_answer(std::size_t current);

  std::string docker_socket_;
  std::string folder_;
  std::string path_;
  FileDescriptor listener_;
  FileDescriptor stop_;  ///< eventfd, readable once the proxy is to end
  std::mutex mutex_;
  std::vector<Exchange> exchanges_;
  std::size_t taken_ = 0;
  std::vector<std::thread> servers_;
};

}  // namespace sx_bench
