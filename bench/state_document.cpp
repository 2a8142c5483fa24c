#include "state_document.hpp"

namespace sx_bench {
namespace {

std::string service(const std::string& id, const std::string& host, int status) {
  return "\"" + id + R"(":{"ID":")" + id + R"(","Name":"service-)" + id +
         R"(","Image":"registry.example.com/team/service:2026.01.02-1234567",)"
         R"("Created":"2026-01-02T03:04:05Z","Hostname":")" +
         host +
         R"(","Ports":[{"Type":"tcp","Port":31001,"ServicePort":8080,"IP":"10.0.0.1"}],)"
         R"("Updated":"2026-01-02T03:04:05.123456789Z","ProxyMode":"http","Status":)" +
         std::to_string(status) + "}";
}

void add_host(std::string& out, const std::string& host, const std::string& last) {
  out += "\"" + host + R"(":{"Name":")" + host + R"(","Services":{)";
  for (long i = 0; i < 99; ++i) out += service(std::to_string(100000000000 + i), host, 0) + ",";
  out += service(last, host, kOurStatus) + R"(},"LastUpdated":"x","LastChanged":"y"})";
}

}  // namespace

std::string state_document(std::size_t bytes) {
  std::string out = R"({"ClusterName":"default","Servers":{)";
  out.reserve(bytes + 100'000);
  for (int host = 0; out.size() < bytes; ++host) {
    add_host(out, "host" + std::to_string(host) + ".example.com", "aaaaaaaaaaaa");
    out += ",";
  }
  add_host(out, kOurHost, kOurService);
  return out += "}}";
}

}  // namespace sx_bench
