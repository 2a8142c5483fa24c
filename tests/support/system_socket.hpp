#pragma once
// Unix sockets of Docker and of what stands before it.

#include <string>
#include <string_view>

struct sockaddr_un;

namespace sx_test {

/// Throws when the path is too long for one.
sockaddr_un address_of(const std::string& path);

/// -1: nobody takes connections there.
int connected_to(const std::string& path);

/// Bytes of the first request in `bytes`, head and body; 0 when it is not all there.
std::size_t request_size(std::string_view bytes);

}  // namespace sx_test
