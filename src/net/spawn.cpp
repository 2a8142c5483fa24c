#include "net/spawn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <exception>

namespace sidecar_executor::net {

void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work) {
  asio::co_spawn(executor, std::move(work), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

}  // namespace sidecar_executor::net
