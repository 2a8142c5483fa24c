#pragma once
// A Sidecar in a process of its own, so that its processor time and memory are not the client's.
// GET /state.json: a big state. GET /small: one of a single host.

#include <sys/types.h>

#include <cstddef>

namespace sx_bench {

class StateServer {
 public:
  explicit StateServer(std::size_t bytes);  ///< of the document; throws
  ~StateServer();
  StateServer(const StateServer&) = delete;
  StateServer& operator=(const StateServer&) = delete;

  [[nodiscard]] unsigned short port() const { return port_; }  ///< on 127.0.0.1

 private:
  pid_t pid_ = -1;
  unsigned short port_ = 0;
};

}  // namespace sx_bench
