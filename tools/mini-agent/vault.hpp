// A stand-in for Vault on loopback: vault_engine's answers, the faults that the options ask for,
// a JSON line for each request. Neither tokens nor secrets are in the lines, only their names.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fstream>
#include <functional>
#include <string>

#include "http_server.hpp"
#include "vault_engine.hpp"
#include "vault_options.hpp"

namespace mini_agent {

class StandInVault {
 public:
  using Emit = std::function<void(const char* event, boost::json::object details)>;

  // Throws std::runtime_error when the options' files cannot be used.
  StandInVault(boost::asio::io_context& io, VaultOptions options, Emit emit);

  void listen();
  std::string address() const;  // for VAULT_ADDR
  void go_down();               // connections are refused
  void come_back();             // on the same ports
  void revoke_all();
  void close();  // says what is left, and ends

  HttpAnswer answer(const CallRequest& call);
  HttpAnswer redirect(const CallRequest& call);  // what a standby answers

 private:
  VaultFault* fault_for(const std::string& path);
  HttpAnswer faulty(const VaultFault& fault, HttpAnswer answer) const;
  void issued(const std::string& secret);
  void tell(const CallRequest& call, const HttpAnswer& answer, boost::json::object details,
            bool fault);

  VaultOptions options_;
  Emit emit_;
  std::ofstream issued_file_;
  VaultEngine engine_;
  HttpServer server_, standby_;
  unsigned short port_ = 0, standby_port_ = 0;
  VaultTime listening_since_;
  long requests_ = 0;
};

}  // namespace mini_agent
