#include "docker_api.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "agent_run.hpp"
#include "clock.hpp"
#include "file_descriptor.hpp"

namespace sx_bench {
namespace {

constexpr const char* kTaskLabel = "io.sidecar-executor.task-id";

void write_all(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) throw std::runtime_error("Docker: the request was not taken");
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

/// `last`: when the last byte had come.
std::string read_to_end(int fd, double& last) {
  std::string all;
  char buffer[16384];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) throw std::runtime_error("interrupted");
    if (n < 0) throw std::runtime_error("Docker: the answer broke off");
    if (n == 0) return all;
    last = now();
    all.append(buffer, static_cast<std::size_t>(n));
  }
}

/// dockerd keeps to HTTP/1.0's rules when asked in it: no chunks, closed at the end.
DockerApi::Answer parse(const std::string& text) {
  DockerApi::Answer answer;
  const auto body = text.find("\r\n\r\n");
  if (text.size() < 12 || body == std::string::npos) {
    throw std::runtime_error("Docker: no HTTP answer");
  }
  answer.status = std::atoi(text.c_str() + 9);
  answer.body = text.substr(body + 4);
  return answer;
}

std::string percent_encoded(const std::string& text) {
  static const char* const hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::strchr("-._~", c) != nullptr) {
      out += c;
    } else {
      out += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return out;
}

boost::json::array list(const DockerApi& api, const std::string& label) {
  const std::string filters =
      boost::json::serialize(boost::json::object{{"label", boost::json::array{label}}});
  const auto answer = api.call("GET", "/containers/json?all=1&filters=" + percent_encoded(filters));
  if (answer.status != 200) throw std::runtime_error("Docker: " + answer.body);
  return boost::json::parse(answer.body).as_array();
}

}  // namespace

int connect_unix(const std::string& path) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (fd.get() < 0 || path.size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("no socket for " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  return fd.release();
}

DockerApi::DockerApi(const std::string& host) {
  const std::string scheme = "unix://";
  if (!host.starts_with(scheme)) {
    throw std::runtime_error("DOCKER_HOST=" + host +
                             ": the bench needs a unix:// socket; run it below "
                             "scripts/with-docker.sh");
  }
  path_ = host.substr(scheme.size());
}

DockerApi::Answer DockerApi::call(const std::string& method, const std::string& target) const {
  const FileDescriptor fd(connect_unix(path_));
  write_all(fd.get(),
            method + " " + target + " HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n");
  double at = 0;
  const std::string text = read_to_end(fd.get(), at);
  Answer answer = parse(text);
  answer.at = at;
  return answer;
}

std::vector<std::string> DockerApi::containers_of(const std::string& task_id) const {
  std::vector<std::string> ids;
  for (const auto& one : list(*this, kTaskLabel + ("=" + task_id))) {
    ids.emplace_back(one.at("Id").as_string());
  }
  return ids;
}

std::vector<std::string> DockerApi::containers_with_prefix(const std::string& prefix) const {
  std::vector<std::string> ids;
  for (const auto& one : list(*this, kTaskLabel)) {
    if (one.at("Labels").at(kTaskLabel).as_string().starts_with(prefix)) {
      ids.emplace_back(one.at("Id").as_string());
    }
  }
  return ids;
}

double DockerApi::follow_log(const std::string& id, std::uint64_t bytes, double pause,
                             const std::function<void(std::size_t)>& each) const {
  const FileDescriptor fd(connect_unix(path_));
  write_all(fd.get(), "GET /containers/" + id +
                          "/logs?follow=1&stdout=1&stderr=1&timestamps=1 HTTP/1.0\r\n"
                          "Host: docker\r\n\r\n");
  std::string buffer(std::size_t{64} * 1024, '\0');
  double first = 0;
  for (std::uint64_t got = 0; got < bytes;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n <= 0) throw std::runtime_error("Docker: the log broke off");
    got += static_cast<std::uint64_t>(n);
    each(static_cast<std::size_t>(n));
    if (pause > 0) rest(pause);
    if (first > 0) continue;
    first = now();
    const std::string head(buffer, 0, static_cast<std::size_t>(n));
    const auto end = head.find("\r\n\r\n");
    if (!head.starts_with("HTTP/1.0 200") || end == std::string::npos) {
      throw std::runtime_error("Docker: no log: " + head);
    }
    got -= end + 4;
  }
  return now() - first;
}

void DockerApi::remove(const std::string& id) const {
  const auto answer = call("DELETE", "/containers/" + id + "?force=1&v=1");
  // 409: somebody removes it at this moment.
  if (answer.status != 204 && answer.status != 404 && answer.status != 409) {
    throw std::runtime_error("Docker: " + answer.body);
  }
}

}  // namespace sx_bench
