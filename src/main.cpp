#include <bsd/unistd.h>

#include "app/command_line.hpp"

int main(int argc, char** argv, char** envp) {
  // Linked statically, libbsd does not start itself; the title may use the room of argv and
  // environ.
  ::setproctitle_init(argc, argv, envp);
  return sidecar_executor::app::run(argc, argv);
}
