#pragma once
// The cluster's hosts, for SIDECAR_SEEDS: the agent's /state names the master, the master's /slaves
// names the agents. Both documents may be many MB and are read as a stream.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "net/http_client.hpp"

namespace sidecar_executor::mesos {

/// Collects the strings at one path of a JSON document, bytes in at any border: `master_hostname`,
/// or `slaves[].hostname` as path {"slaves", "hostname"} (arrays are looked through).
class JsonStringFinder {
 public:
  explicit JsonStringFinder(std::vector<std::string> path, std::size_t limit);
  ~JsonStringFinder();
  JsonStringFinder(const JsonStringFinder&) = delete;
  JsonStringFinder& operator=(const JsonStringFinder&) = delete;

  /// Error (protocol): not JSON. True when `limit` strings were found: no more bytes are needed.
  Result<bool> feed(std::string_view bytes);
  /// Error (protocol): the document was cut off.
  Result<void> finish();
  [[nodiscard]] const std::vector<std::string>& found() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Drops names from the end until all of them, comma-joined, fit into an environment variable.
/// Returns how many were dropped.
std::size_t keep_what_fits(std::vector<std::string>& hosts);

/// Every slaves[].hostname, in the master's order. Errors name the step and the address. `limit`:
/// how long each of the two documents may take.
asio::awaitable<Result<std::vector<std::string>>> cluster_hosts(asio::any_io_executor executor,
                                                                net::Address agent,
                                                                std::uint16_t master_port,
                                                                net::Cancellation& cancellation,
                                                                net::Duration limit);

}  // namespace sidecar_executor::mesos
