#pragma once

namespace sidecar_executor::net {

/// Of a TCP socket: a peer that vanished without a word is noticed after 30 s of silence and three
/// probes, 10 s apart (behaviour.md 11.13).
void keep_alive(int socket);

}  // namespace sidecar_executor::net
