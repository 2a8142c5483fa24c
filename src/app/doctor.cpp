#include "app/doctor.hpp"

#include <boost/asio/io_context.hpp>
#include <iostream>

#include "app/environment.hpp"
#include "app/executor_mode.hpp"
#include "net/resolver.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::app {

Doctor::Doctor(asio::any_io_executor executor, DoctorInputs inputs)
    : executor_(std::move(executor)),
      inputs_(std::move(inputs)),
      loaded_(load_settings(inputs_.environment, inputs_.names, inputs_.host_name)) {}

void Doctor::start() {
  auto& at_once = findings_.emplace_back();
  settings(at_once);
  agent(at_once);
  open_files(at_once);
  for (const Check check : {&Doctor::sandbox, &Doctor::docker, &Doctor::registry, &Doctor::sidecar,
                            &Doctor::vault, &Doctor::syslog}) {
    ++open_;
    net::spawn(executor_, bounded(check, findings_.emplace_back()));
  }
}

/// Whatever a check waits for ends with its cancellation.
asio::awaitable<void> Doctor::bounded(Check check, Findings& out) {
  net::Cancellation cancellation;
  const net::Deadline deadline(executor_, inputs_.limit, [&] { cancellation.cancel(); });
  co_await (this->*check)(out, cancellation);
  --open_;
}

std::string Doctor::why(const Error& error) const {
  if (error.kind != ErrorKind::cancelled) return error.message;
  return "no answer within " + net::limit_text(inputs_.limit);
}

Findings Doctor::findings() const {
  Findings out;
  for (const auto& some : findings_) out.insert(out.end(), some.begin(), some.end());
  return out;
}

int doctor(bool json) {
  protect_memory();
  net::use_builtin_name_services();
  asio::io_context loop(1);
  Doctor all(loop.get_executor(), {process_environment(), environment_names(), host_name()});
  all.start();
  loop.run();
  const auto findings = all.findings();
  std::cout << (json ? as_json(findings) : as_text(findings)) << std::flush;
  return exit_code(findings);
}

}  // namespace sidecar_executor::app
