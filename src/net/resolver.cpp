#include "net/resolver.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <nss.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <system_error>
#include <thread>

namespace sidecar_executor::net {
namespace {

using Addresses = std::vector<asio::ip::address>;

/// Shared by the waiting coroutine and the thread: whoever is last frees it.
struct Lookup {
  explicit Lookup(std::string name) : host(std::move(name)) {}
  ~Lookup() {
    if (event >= 0) ::close(event);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  std::string host;
  int event = -1;  // an eventfd: writing to a pipe that the reader has left would be SIGPIPE
  std::atomic<bool> done = false;  // orders `code` and `found` between the threads
  int code = 0;
  Addresses found;
};

asio::ip::address to_address(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  asio::ip::address_v6::bytes_type bytes;
  std::copy(std::begin(v6->sin6_addr.s6_addr), std::end(v6->sin6_addr.s6_addr), bytes.begin());
  return asio::ip::address_v6(bytes, v6->sin6_scope_id);
}

void look_up(Lookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  lookup.code = ::getaddrinfo(lookup.host.c_str(), nullptr, &hints, &list);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) {
      lookup.found.push_back(to_address(entry->ai_addr));
    }
  }
  if (list != nullptr) ::freeaddrinfo(list);
  lookup.done = true;
  ::eventfd_write(lookup.event, 1);
}

}  // namespace

void use_builtin_name_services() { ::__nss_configure_lookup("hosts", "files dns"); }

asio::awaitable<Result<Addresses>> resolve(std::string host, Duration limit,
                                           Cancellation* cancellation) {
  boost::system::error_code ec;
  const auto literal = asio::ip::make_address(host, ec);
  if (!ec) co_return Addresses{literal};
  if (host == "localhost") {
    co_return Addresses{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
  }
  if (cancellation != nullptr && cancellation->cancelled()) {
    co_return Error{ErrorKind::cancelled, "cancelled"};
  }

  auto lookup = std::make_shared<Lookup>(host);
  lookup->event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int copy = lookup->event < 0 ? -1 : ::fcntl(lookup->event, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) {
    co_return Error{ErrorKind::unreachable,
                    "look up " + host + ": " + std::generic_category().message(errno)};
  }
  asio::posix::stream_descriptor answer(co_await asio::this_coro::executor, copy);
  try {
    std::thread([lookup] { look_up(*lookup); }).detach();
  } catch (const std::system_error& error) {
    co_return Error{ErrorKind::unreachable, "look up " + host + ": " + error.what()};
  }
  const auto stop = [&answer] {
    boost::system::error_code ignored;
    answer.cancel(ignored);
  };
  Cancellation::Registration hook;
  if (cancellation != nullptr) hook = cancellation->on_cancel(stop);
  Deadline deadline(answer.get_executor(), limit, stop);
  co_await answer.async_wait(asio::posix::descriptor_base::wait_read,
                             asio::redirect_error(asio::use_awaitable, ec));
  if (cancellation != nullptr && cancellation->cancelled()) {
    co_return Error{ErrorKind::cancelled, "cancelled"};
  }
  if (!lookup->done) {
    co_return Error{
        ErrorKind::timeout,
        "look up " + host + ": no answer from the name service within " + limit_text(limit)};
  }
  if (lookup->code != 0 || lookup->found.empty()) {
    const bool no_such_name = lookup->code == 0 || lookup->code == EAI_NONAME ||
                              lookup->code == EAI_NODATA || lookup->code == EAI_ADDRFAMILY;
    co_return Error{no_such_name ? ErrorKind::not_found : ErrorKind::unreachable,
                    "look up " + host + ": " +
                        (lookup->code != 0 ? ::gai_strerror(lookup->code) : "no address")};
  }
  co_return lookup->found;
}

}  // namespace sidecar_executor::net
