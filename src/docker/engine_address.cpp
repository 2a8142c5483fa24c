#include <unistd.h>

#include "base/text.hpp"
#include "docker/engine.hpp"
#include "net/tls.hpp"

namespace sidecar_executor::docker {
namespace {

Error bad_host(const std::string& host, const std::string& why) {
  return {ErrorKind::invalid, "DOCKER_HOST=\"" + one_line(host, 200) + "\" " + why};
}

/// As Docker's CLI: DOCKER_CERT_PATH (default ~/.docker) holds ca.pem, cert.pem and key.pem; what
/// is there is used.
Result<void> set_up_tls(const Lookup& environment, net::Address& address) {
  std::string folder = environment("DOCKER_CERT_PATH").value_or("");
  if (folder.empty()) folder = environment("HOME").value_or("/root") + "/.docker";
  const auto existing = [&folder](const char* name) {
    const std::string path = folder + "/" + name;
    return ::access(path.c_str(), F_OK) == 0 ? path : std::string();
  };
  net::TlsSettings tls;
  tls.ca_file = existing("ca.pem");
  tls.certificate_file = existing("cert.pem");
  tls.key_file = existing("key.pem");
  auto context = net::TlsContext::make(tls);
  if (!context) return context.error().during("DOCKER_CERT_PATH", folder);
  address.tls = true;
  address.tls_context = *context;
  return boost::system::in_place_value;
}

/// `1.44`, or `v1.44` as Docker's CLI takes it too. It becomes part of every path.
Result<std::string> api_version(const std::string& text) {
  std::string version = text.starts_with('v') ? text.substr(1) : text;
  const bool plain = version.find_first_not_of("0123456789.") == std::string::npos;
  const auto dot = version.find('.');
  if (version.empty() && text.empty()) return version;
  if (!plain || dot == std::string::npos || dot == 0 || dot + 1 == version.size() ||
      version.find('.', dot + 1) != std::string::npos) {
    return Error{ErrorKind::invalid,
                 "DOCKER_API_VERSION=\"" + one_line(text, 60) + "\" is not a version such as 1.44"};
  }
  return version;
}

}  // namespace

Result<EngineAddress> engine_address(const Lookup& environment) {
  EngineAddress out;
  auto version = api_version(environment("DOCKER_API_VERSION").value_or(""));
  if (!version) return version.error();
  out.api_version = *version;
  std::string host = environment("DOCKER_HOST").value_or("");
  if (host.empty()) host = "unix:///var/run/docker.sock";
  const auto scheme_end = host.find("://");
  const std::string scheme = scheme_end == std::string::npos ? "tcp" : host.substr(0, scheme_end);
  const std::string rest = scheme_end == std::string::npos ? host : host.substr(scheme_end + 3);
  if (scheme == "unix") {
    if (rest.empty()) return bad_host(host, "has no path");
    out.address.unix_path = rest;
    return out;
  }
  if (scheme != "tcp" && scheme != "http" && scheme != "https") {
    return bad_host(host,
                    "is not supported: use unix:///path, tcp://host:port or http(s)://host:port");
  }
  auto parsed = net::parse_host_port(rest.substr(0, rest.find('/')));
  if (!parsed) return bad_host(host, "is not of the form tcp://host:port");
  out.address = *parsed;
  const bool verify = !environment("DOCKER_TLS_VERIFY").value_or("").empty();
  if (verify || scheme == "https") {
    // Without DOCKER_TLS_VERIFY https means what it means everywhere: verified by known CAs.
    auto tls = set_up_tls(environment, out.address);
    if (!tls) return tls.error();
  }
  return out;
}

}  // namespace sidecar_executor::docker
