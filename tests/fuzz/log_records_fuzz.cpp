// A container's bytes → lines → records: nothing lost, nothing too large, each a record of its own.
#include <boost/json.hpp>

#include "base/text.hpp"
#include "fuzz/fuzz_target.hpp"
#include "relay/batch.hpp"
#include "relay/lines.hpp"
#include "relay/record.hpp"

namespace json = boost::json;
namespace relay = sidecar_executor::relay;
namespace sx = sidecar_executor;
using sx::fuzz::require;
using Texts = std::vector<std::string>;

namespace {

Texts lines_of(std::string_view input, std::size_t step, std::size_t limit) {
  relay::Lines lines(limit);
  Texts out;
  const auto keep = [&out](const relay::Line& line) { out.emplace_back(line.text); };
  sx::fuzz::in_steps(input, step, [&](std::string_view piece) {
    lines.add(relay::Stream::out, "2026-01-02T15:04:05.123456789Z", piece);
    for (relay::Line line; lines.next(line);) keep(line);
  });
  for (relay::Line line; lines.finish(line);) keep(line);
  return out;
}

void check_lines(std::string_view input) {
  const Texts whole = lines_of(input, input.size() + 1, 1U << 20U);
  for (const auto step : sx::fuzz::steps_for(input))
    require(lines_of(input, step, 1U << 20U) == whole, "the same lines, however they come");
  std::string joined;
  for (const auto& line : whole) joined += line;
  std::string plain;
  for (const auto& line : lines_of(input, 3, 20)) plain += line;
  const auto without_ends = [](std::string text) {
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    return text;
  };
  require(without_ends(joined) == without_ends(std::string(input)), "all of the text");
  require(without_ends(plain) == without_ends(std::string(input)), "cut lines lose nothing");
}

relay::RecordFields fields(sx::SyslogFormat format, std::string_view input) {
  relay::RecordFields out;
  out.format = format;
  out.host = "host-1";
  out.container = "0123456789ab";
  // What a framework may have put into its labels.
  out.labels = {{"ServiceName", "web"}, {std::string(input.substr(0, 8)), std::string(input)}};
  return out;
}

/// The payload of a JSON record.
std::string payload(const std::string& record) {
  require(record.ends_with("}\n") && std::count(record.begin(), record.end(), '\n') == 1,
          "a record is a line");
  boost::system::error_code failed;
  const auto value = json::parse(record, failed);
  require(!failed && value.is_object(), "of JSON");
  return std::string(value.get_object().at("Payload").as_string());
}

void check_json(std::string_view line, relay::Stream stream, std::string_view labels) {
  relay::Record record(fields(sx::SyslogFormat::json, labels));
  const std::size_t parts = record.begin({stream, "2026-01-02T15:04:05Z", line, false});
  std::size_t count = 0;
  std::string together;
  for (std::string out; record.append(out); out.clear()) {
    require(out.size() <= relay::Record::largest, "a record fits into a datagram");
    together += payload(out);
    ++count;
  }
  require(count == parts && parts > 0, "as many records as were announced");
  require(together == sx::to_utf8(line), "the parts are the line");
}

void check_syslog(std::string_view line, sx::SyslogFormat format, std::string_view labels) {
  relay::Record record(fields(format, labels));
  const std::size_t parts = record.begin({relay::Stream::err, "no stamp", line, false});
  relay::Batch batch(relay::Framing::octet_counting);
  std::size_t count = 0;
  while (batch.append(record)) ++count;
  require(count == parts, "as many records as were announced");
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto sent = batch[i];
    const auto blank = sent.find(' ');
    require(blank != std::string_view::npos &&
                std::to_string(sent.size() - blank - 1) == sent.substr(0, blank),
            "its length stands before it");
    require(sent.substr(blank + 1).starts_with('<') && sent.size() <= relay::Record::largest + 7,
            "a syslog message that fits");
    require(sx::to_utf8(sent) == sent, "of UTF-8");
  }
}

}  // namespace

SX_FUZZ_TARGET(log_records) {
  check_lines(input);
  std::string line(input);
  std::erase(line, '\n');
  // A few are lines that need several records.
  if (input.size() % 64 == 63)
    while (line.size() < 35'000 && !line.empty()) line += line;
  const auto labels = input.substr(0, 100);
  check_json(line, relay::Stream::out, labels);
  check_json(line, relay::Stream::err, labels);
  check_syslog(line, sx::SyslogFormat::rfc5424, labels);
  check_syslog(line, sx::SyslogFormat::rfc3164, labels);
}
