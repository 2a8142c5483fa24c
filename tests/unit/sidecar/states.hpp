#pragma once
// Sidecar's state documents for the tests of the scanner.

#include <boost/json.hpp>
#include <cmath>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "sidecar/state_scanner.hpp"

namespace sidecar_executor::sidecar {

inline const std::string our_host = "host-1";
inline const std::string our_id = "0123456789ab";
using Progress = StateScanner::Progress;

/// What a scan came to.
struct Found {
  Progress progress = Progress::reading;
  std::int64_t status = -1;  ///< when found
  bool operator==(const Found&) const = default;
};

inline const char* name_of(Progress progress) {
  constexpr const char* names[] = {"reading", "found", "service_missing", "host_missing",
                                   "unparsable"};
  return names[static_cast<int>(progress)];
}

inline std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << name_of(found.progress) << " " << found.status;
}

inline Found result_of(const StateScanner& scanner) {
  const auto progress = scanner.progress();
  return {progress, progress == Progress::found ? scanner.status() : -1};
}

inline Found scan(std::string_view document, const std::string& host = our_host,
                  const std::string& id = our_id) {
  StateScanner scanner(host, id);
  scanner.feed(document);
  scanner.finish();
  return result_of(scanner);
}

inline Found scan_in_steps(std::string_view document, std::size_t step) {
  StateScanner scanner(our_host, our_id);
  for (std::size_t at = 0; at < document.size(); at += step)
    scanner.feed(document.substr(at, step));
  scanner.finish();
  return result_of(scanner);
}

/// One service as Sidecar writes it.
inline std::string service(const std::string& id, std::string_view status) {
  return R"({"ID":")" + id +
         R"(","Name":"web","Image":"web:1.2","Created":"2026-01-02T03:04:05Z","Hostname":"host-1",)"
         R"("Ports":[{"Type":"tcp","Port":31001,"ServicePort":8080,"IP":"10.0.0.1"}],)"
         R"("Updated":"2026-01-02T03:04:05.123Z","ProxyMode":"http","Status":)" +
         std::string(status) + "}";
}

/// A host before ours, other services around ours.
inline std::string state(std::string_view status = "0") {
  return R"({"Servers":{"host-0":{"Name":"host-0","Services":{"aaaaaaaaaaaa":)" +
         service("aaaaaaaaaaaa", "2") + R"(},"LastUpdated":"x","LastChanged":"y"},"host-1":)" +
         R"({"Name":"host-1","Services":{"bbbbbbbbbbbb":)" + service("bbbbbbbbbbbb", "1") +
         R"(,"0123456789ab":)" + service(our_id, status) + R"(},"LastUpdated":"x"}},)" +
         R"("LastChanged":"z","ClusterName":"default","Hostname":"host-9"})";
}

/// What a full parse with Boost.JSON says; nothing when it refuses the document.
inline std::optional<Found> full_parse(std::string_view document) {
  namespace json = boost::json;
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = true;
  boost::system::error_code ec;
  const auto root = json::parse(document, ec, {}, options);
  if (ec) return std::nullopt;
  const auto member = [](const json::value* value, std::string_view key) -> const json::value* {
    return value != nullptr && value->is_object() ? value->as_object().if_contains(key) : nullptr;
  };
  if (!root.is_object()) return Found{Progress::unparsable};
  const auto* host = member(member(&root, "Servers"), our_host);
  if (host == nullptr || !host->is_object()) return Found{Progress::host_missing};
  const auto* entry = member(member(host, "Services"), our_id);
  if (entry == nullptr || !entry->is_object()) return Found{Progress::service_missing};
  const auto* status = member(entry, "Status");
  if (status == nullptr || !status->is_number()) return Found{Progress::unparsable};
  const double number = status->to_number<double>();
  if (number != std::floor(number) || std::fabs(number) >= 1e9) return Found{Progress::unparsable};
  return Found{Progress::found, static_cast<std::int64_t>(number)};
}

}  // namespace sidecar_executor::sidecar
