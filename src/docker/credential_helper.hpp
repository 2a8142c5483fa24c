#pragma once
// `docker-credential-NAME get`: the programs that Docker's config files name in credHelpers and
// credsStore (github.com/docker/docker-credential-helpers): registry on stdin, JSON on stdout.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/error.hpp"
#include "base/timeouts.hpp"
#include "docker/registry_auth.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::docker {

/// What the program prints. It is started without a shell, in a process group of its own; when the
/// limit has passed or the launch is cancelled the group is killed. Never blocks the loop.
/// Errors: not_found (the program knows no credentials for the registry), invalid (no such
/// program), refused (it failed; its own words), timeout, too_large, cancelled.
asio::awaitable<Result<std::string>> ask_credential_helper(
    asio::any_io_executor executor, CredentialHelper helper, net::Cancellation& cancellation,
    net::Duration limit = timeouts::credential_helper);

}  // namespace sidecar_executor::docker
