#pragma once
// Finds one service in Sidecar's state document without keeping the document: the cluster's state
// is tens to hundreds of MB (../shared/spec/sidecar.md), what we want of it is one number.
//
// Servers[host].Services[service id].Status. The bytes come in at any border; nothing is held but a
// key and a number. What is not on the way to our entry is skipped without being looked into: only
// strings and brackets matter there, so that a wrong literal far away goes unnoticed, by intent.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sidecar_executor::sidecar {

class StateScanner {
 public:
  enum class Progress {
    reading,          ///< more bytes are needed
    found,            ///< status() is known; the rest of the document does not matter
    service_missing,  ///< our host is there, our service is not
    host_missing,     ///< the document is complete and our host is not in it
    unparsable,       ///< not the JSON of a state document; also: deeper than 64, or cut off
  };

  /// `service_id`: the first 12 characters of the container's id.
  StateScanner(std::string host, std::string service_id);

  /// Takes the next bytes. Anything but `reading` is final: later bytes are not looked at.
  Progress feed(std::string_view bytes);

  /// The document has ended: `reading` becomes `unparsable` (cut off).
  Progress finish();

  [[nodiscard]] Progress progress() const { return progress_; }
  /// Sidecar's number: 0 ALIVE, 1 TOMBSTONE, 2 UNHEALTHY, 3 UNKNOWN, 4 DRAINING. Valid when found.
  [[nodiscard]] std::int64_t status() const { return status_; }

 private:
  enum class Expect { value, key_or_end, key, colon, comma_or_end };
  enum class Inside { nothing, key, string, scalar, skipped };

  void step(const char*& at, const char* end);
  void between_tokens(char c);
  void begin_value(char c);
  void end_of_object();
  void finish_key();
  void finish_scalar();
  void read_key(const char*& at, const char* end);
  void read_string(const char*& at, const char* end);
  void read_scalar(const char*& at, const char* end);
  void skip(const char*& at, const char* end);
  void skip_byte(char c);
  void add_key_byte(char c);
  void add_to_token(char c);
  void end_lone_surrogate();
  void add_escape(char c);
  void add_code_unit(std::uint32_t unit);
  void add_utf8(std::uint32_t code_point);
  [[nodiscard]] std::string_view wanted_key() const;
  [[nodiscard]] int skip_limit() const;

  std::string host_;
  std::string service_id_;
  Progress progress_ = Progress::reading;
  Expect expect_ = Expect::value;
  Inside inside_ = Inside::nothing;
  int level_ = -1;          // 0 document, 1 Servers, 2 host, 3 Services, 4 our entry
  bool wanted_ = false;     // the key just read leads to our entry
  std::string token_;       // of the key or number being read, bounded
  bool escaped_ = false;    // the byte before was a backslash
  int hex_left_ = 0;        // digits of \uXXXX still to come
  std::uint32_t unit_ = 0;  // of \uXXXX
  std::uint32_t high_surrogate_ = 0;
  int depth_ = 0;           // of what is skipped
  bool in_string_ = false;  // while skipping
  std::int64_t status_ = 0;
};

}  // namespace sidecar_executor::sidecar
