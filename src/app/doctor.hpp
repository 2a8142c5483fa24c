#pragma once
// `sidecar-executor doctor`: checks this host the way the executor would use it.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <list>
#include <string>
#include <vector>

#include "app/doctor_report.hpp"
#include "base/settings.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::app {

struct DoctorInputs {
  Lookup environment;
  std::vector<std::string> names;  ///< of all variables
  std::string host_name;
  net::Duration limit = std::chrono::seconds(5);  ///< of each check
};

/// All checks at the same time. None changes anything that lasts: a token of Vault that a login
/// made is revoked, a file that was written is removed.
class Doctor {
 public:
  Doctor(asio::any_io_executor executor, DoctorInputs inputs);
  Doctor(const Doctor&) = delete;
  Doctor& operator=(const Doctor&) = delete;

  void start();
  [[nodiscard]] bool done() const { return open_ == 0; }
  /// Once it is done, always in the same order.
  [[nodiscard]] Findings findings() const;

 private:
  using Check = asio::awaitable<void> (Doctor::*)(Findings& out, net::Cancellation&);
  asio::awaitable<void> bounded(Check check, Findings& out);

  // Of the host: doctor_host.cpp. They answer at once.
  void settings(Findings& out) const;
  void agent(Findings& out) const;
  void open_files(Findings& out) const;
  asio::awaitable<void> sandbox(Findings& out, net::Cancellation& cancellation);
  // Of what it talks to: doctor_services.cpp.
  asio::awaitable<void> docker(Findings& out, net::Cancellation& cancellation);
  asio::awaitable<void> registry(Findings& out, net::Cancellation& cancellation);
  asio::awaitable<void> sidecar(Findings& out, net::Cancellation& cancellation);
  asio::awaitable<void> syslog(Findings& out, net::Cancellation& cancellation);
  // doctor_vault.cpp
  asio::awaitable<void> vault(Findings& out, net::Cancellation& cancellation);

  [[nodiscard]] std::string get(std::string_view name) const {
    return inputs_.environment(name).value_or("");
  }
  /// Of a check that was ended: how long it was waited for.
  [[nodiscard]] std::string why(const Error& error) const;

  asio::any_io_executor executor_;
  DoctorInputs inputs_;
  LoadedSettings loaded_;
  std::list<Findings> findings_;  // a list: running checks refer to their element
  int open_ = 0;
};

/// On stdout. Exit code: 0 all is well, or warnings only; 1 something failed.
int doctor(bool json);

}  // namespace sidecar_executor::app
