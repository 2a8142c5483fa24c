#include "net/resolver.hpp"

#include <netdb.h>
#include <nss.h>

#include <memory>

#include "net/side_thread.hpp"

namespace sidecar_executor::net {
namespace {

using Addresses = std::vector<asio::ip::address>;

/// Shared by the waiting coroutine and the thread.
struct Lookup {
  std::string host;
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

  auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  const auto ended = co_await in_side_thread([lookup] { look_up(*lookup); }, limit, cancellation);
  if (!ended) {
    const Error& error = ended.error();
    if (error.kind == ErrorKind::cancelled) co_return error;
    if (error.kind != ErrorKind::timeout)
      co_return Error{ErrorKind::unreachable, "look up " + host + ": " + error.message};
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
