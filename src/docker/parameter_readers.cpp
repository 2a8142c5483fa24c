#include "docker/parameter_readers.hpp"

#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameter_values.hpp"

namespace sidecar_executor::docker {

namespace json = boost::json;

json::value& body_member(json::object& body, std::string_view path) {
  json::object* at = &body;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &object_at((*at)[path.substr(0, dot)]);
    path.remove_prefix(dot + 1);
  }
  return (*at)[path];
}

json::value& target_of(const ParameterReading& reading) {
  return body_member(reading.out.body, reading.flag.target);
}

Result<std::string> file_of(const ParameterReading& reading, std::string_view path) {
  if (!path.starts_with('/')) return expected("the path of a file on the host, from /");
  if (!reading.inputs.read_file) return Error{ErrorKind::invalid, "files are not read here"};
  auto bytes = reading.inputs.read_file(std::string(path));
  if (bytes) return bytes;
  const bool absent = bytes.error().kind == ErrorKind::not_found;
  return expected(absent ? "a file that exists on the host" : "a readable file of at most 1 MiB");
}

Result<void> read_text(const ParameterReading& reading, std::string_view value) {
  if (value.empty()) return expected("a value, found nothing");
  target_of(reading) = value;
  return taken();
}

Result<void> append_text(const ParameterReading& reading, std::string_view value) {
  if (value.empty()) return expected("a value, found nothing");
  array_at(target_of(reading)).emplace_back(value);
  return taken();
}

Result<void> read_flag(const ParameterReading& reading, std::string_view value) {
  // `--init` without a value is `--init=true`; Mesos has no other way to write it than "".
  const auto said = value.empty() ? Result<bool>(true) : parse_go_bool(value);
  if (!said) return expected("true, false or nothing (= true)");
  target_of(reading) = *said;
  return taken();
}

Result<void> read_number(const ParameterReading& reading, std::string_view value) {
  const auto number = parse_go_int(value);
  if (!number) return expected("a whole number");
  target_of(reading) = *number;
  return taken();
}

Result<void> read_bytes(const ParameterReading& reading, std::string_view value) {
  const auto bytes = parse_bytes(value);
  if (!bytes) return expected("a size such as 512m or 2g");
  target_of(reading) = *bytes;
  return taken();
}

Result<void> read_bytes_or_unlimited(const ParameterReading& reading, std::string_view value) {
  const auto bytes = value == "-1" ? std::optional<std::int64_t>(-1) : parse_bytes(value);
  if (!bytes) return expected("a size such as 512m or 2g, or -1 for no limit");
  target_of(reading) = *bytes;
  return taken();
}

Result<void> read_choice(const ParameterReading& reading, std::string_view value) {
  std::string all;
  for (const auto& choice : split(reading.flag.syntax, '|')) {
    const auto colon = choice.find(':');
    const bool open = colon != std::string::npos;  // container:NAME
    const bool matches =
        open ? value.starts_with(choice.substr(0, colon + 1)) && value.size() > colon + 1
             : value == choice;
    if (matches) {
      target_of(reading) = value;
      return taken();
    }
    all += (all.empty() ? "" : " or ") + choice;
  }
  return expected(all);
}

namespace {

Result<void> put_pair(const ParameterReading& reading, std::string_view text, bool need_value) {
  const auto pair = split_key_value(text);
  if (pair.key.empty() || (need_value && !pair.value)) return expected("name=value");
  object_at(target_of(reading))[pair.key] = pair.value.value_or("");
  return taken();
}

}  // namespace

Result<void> read_pair(const ParameterReading& reading, std::string_view value) {
  return put_pair(reading, value, false);
}

Result<void> read_full_pair(const ParameterReading& reading, std::string_view value) {
  return put_pair(reading, value, true);
}

Result<void> ignore_quietly(const ParameterReading& reading, std::string_view) {
  reading.out.notes.push_back("parameter \"" + std::string(reading.flag.name) +
                              "\" is ignored: " + std::string(reading.flag.doc));
  return taken();
}

Result<void> ignore_loudly(const ParameterReading& reading, std::string_view) {
  reading.out.warnings.push_back("parameter \"" + std::string(reading.flag.name) +
                                 "\" is ignored: " + std::string(reading.flag.doc));
  return taken();
}

}  // namespace sidecar_executor::docker
