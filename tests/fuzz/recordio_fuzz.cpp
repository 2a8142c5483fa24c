// The agent's framing: records do not depend on where the bytes were cut, and come back out of
// their own encoding.
#include "fuzz/fuzz_target.hpp"
#include "mesos/recordio.hpp"

namespace sx = sidecar_executor;

namespace {

constexpr std::size_t limit = 5000;

struct Decoded {
  std::vector<std::string> records;
  bool good = true;
  bool at_border = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view input, std::size_t step) {
  sx::mesos::RecordIoDecoder decoder(limit);
  Decoded out;
  sx::fuzz::in_steps(input, step, [&](std::string_view piece) {
    const auto fed = decoder.feed(piece, out.records);
    sx::fuzz::require(out.good || !fed, "an error is final");
    if (!fed)
      sx::fuzz::require(sx::fuzz::is_for_people(fed.error().message, 300), "the error's text");
    out.good = fed.has_value();
  });
  out.at_border = out.good && decoder.at_border();
  return out;
}

}  // namespace

SX_FUZZ_TARGET(recordio) {
  const Decoded whole = decode(input, std::max<std::size_t>(input.size(), 1));
  for (const auto step : sx::fuzz::steps_for(input))
    sx::fuzz::require(decode(input, step) == whole, "the same records, however they come");
  std::size_t bytes = 0;
  std::string again;
  for (const auto& record : whole.records) {
    sx::fuzz::require(record.size() <= limit, "no record above the limit");
    bytes += record.size();
    again += sx::mesos::encode_record(record);
  }
  sx::fuzz::require(bytes <= input.size(), "nothing that was not there");
  const Decoded decoded = decode(again, again.size() + 1);
  sx::fuzz::require(decoded.good && decoded.records == whole.records, "encoded and decoded");
  if (input.size() > limit) return;
  const auto one = decode(sx::mesos::encode_record(input), 7);
  sx::fuzz::require(one.at_border && one.records.size() == 1 && one.records[0] == input,
                    "any bytes can be a record");
}
