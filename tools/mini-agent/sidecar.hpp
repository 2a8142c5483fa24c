// A stand-in for Sidecar: this host's containers as services, their health as the options say
// (../../../shared/spec/sidecar.md).
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "durations.hpp"
#include "http_server.hpp"
#include "options.hpp"
#include "sidecar_docker.hpp"

namespace mini_agent {

class StandInSidecar {
 public:
  using Emit = std::function<void(const char* event, boost::json::object details)>;

  // `host`: the key of this host in the document. Throws std::runtime_error for a DOCKER_HOST
  // that is no unix socket.
  StandInSidecar(boost::asio::io_context& io, SidecarOptions options, std::string host,
                 const std::string& docker_host, Emit emit);

  unsigned short listen();  // returns the port
  std::string url() const;  // for EXECUTOR_SIDECAR_URL
  void go_bad();            // from now on services have --sidecar-status
  void close();             // connections are refused from now on

  HttpAnswer answer(const CallRequest& request);

 private:
  HttpAnswer state();
  HttpAnswer drain(const std::string& id12);
  std::string document(int status);
  int next_status();

  SidecarOptions options_;
  std::string host_;
  Emit emit_;
  HttpServer server_;
  ContainerWatch containers_;
  unsigned short port_ = 0;
  bool bad_ = false;
  std::size_t polls_ = 0, bad_polls_ = 0;
  std::set<std::string> drained_;
  std::string padding_;
};

}  // namespace mini_agent
