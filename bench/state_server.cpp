#include "state_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "file_descriptor.hpp"
#include "state_document.hpp"

namespace sx_bench {
namespace {

[[noreturn]] void give_up(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client has what it wants
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string head_for(const std::string& document) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(document.size()) + "\r\nConnection: close\r\n\r\n";
}

[[noreturn]] void serve(int listener, std::size_t bytes) {
  const std::string big = state_document(bytes), small = state_document(0);
  for (;;) {
    const FileDescriptor client(::accept(listener, nullptr, nullptr));
    if (client.get() < 0) ::_exit(1);
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = ::recv(client.get(), buffer, sizeof(buffer), 0);
      if (count <= 0) break;
      request.append(buffer, static_cast<std::size_t>(count));
    }
    const std::string& document = request.starts_with("GET /small ") ? small : big;
    send_all(client.get(), head_for(document));
    send_all(client.get(), document);
  }
}

}  // namespace

StateServer::StateServer(std::size_t bytes) {
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) give_up("a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, length) != 0 || ::listen(listener.get(), 8) != 0 ||
      ::getsockname(listener.get(), generic, &length) != 0) {
    give_up("a listener on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  pid_ = ::fork();
  if (pid_ < 0) give_up("fork");
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  serve(listener.get(), bytes);
}

StateServer::~StateServer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace sx_bench
