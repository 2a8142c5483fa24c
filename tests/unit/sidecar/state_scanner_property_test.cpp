// Random documents, cut at random borders: the scanner and a full parse say the same.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "unit/sidecar/states.hpp"

namespace sidecar_executor::sidecar {
namespace {

namespace json = boost::json;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  bool chance(int percent) { return below(100) < percent; }

  /// Mostly on the way to our entry, with our names in wrong places too.
  json::value document() {
    if (chance(3)) return anything(0);
    json::object root;
    add_noise(root, 4);
    if (chance(95)) root["Servers"] = servers();
    add_noise(root, 3);
    return root;
  }

  /// With random white space, and strings in random escapes.
  std::string text(const json::value& value) {
    std::string out;
    write(out, value);
    return out;
  }

 private:
  json::value servers() {
    if (chance(4)) return anything(1);
    json::object out;
    for (int hosts = below(5); hosts > 0; --hosts) {
      out["host-" + std::to_string(2 + below(50))] = host();
    }
    if (chance(90)) out[our_host] = host();
    add_noise(out, 2);
    return out;
  }
  json::value host() {
    if (chance(4)) return anything(2);
    json::object out;
    add_noise(out, 3);
    if (chance(93)) out["Services"] = services();
    add_noise(out, 2);
    return out;
  }
  json::value services() {
    if (chance(4)) return chance(50) ? json::value() : anything(3);
    json::object out;
    for (int others = below(4); others > 0; --others) out[word()] = entry();
    if (chance(90)) out[our_id] = entry();
    return out;
  }
  json::value entry() {
    if (chance(4)) return anything(4);
    json::object out;
    add_noise(out, 5);
    if (chance(95)) out["Status"] = chance(92) ? json::value(below(6)) : anything(5);
    add_noise(out, 2);
    return out;
  }
  void add_noise(json::object& into, int most) {
    // Not the names of the level's own members: duplicates would be two answers.
    for (int n = below(most + 1); n > 0; --n) into["n" + word()] = anything(5);
    if (chance(20)) into["x"] = json::object{{"Servers", 1}, {"Status", 2}, {our_id, entry_like()}};
  }
  json::value entry_like() { return json::object{{"Status", below(5)}}; }

  json::value anything(int depth) {
    switch (below(depth > 9 ? 6 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return chance(50);
      case 2:
        return below(1000) - 500;
      case 3:
        return below(1000) / 8.0;
      case 4:
      case 5:
        return json::value(word());
      case 6:
      case 7: {
        json::object out;
        for (int n = below(5); n > 0; --n) out[word()] = anything(depth + 1);
        return out;
      }
      default: {
        json::array out;
        for (int n = below(5); n > 0; --n) out.push_back(anything(depth + 1));
        return out;
      }
    }
  }
  std::string word() {
    static const std::vector<std::string> pieces = {
        "a",      "web",      "\"",         "\\",     "{",
        "}",      "[",        "]",          ",",      ":",
        "\n",     "\u00e9",   "\U0001F600", "Status", "0123456789ab",
        "host-1", "Services", "\t",         "/",      std::string(70, 'x'),
        "\\\"",   " "};
    std::string out;
    for (int n = below(6); n > 0; --n) out += pieces[static_cast<std::size_t>(below(22))];
    return out;
  }

  void blank(std::string& out) {
    if (!chance(15)) return;
    for (int n = 1 + below(chance(5) ? 100 : 3); n > 0; --n) {
      out += " \t\r\n"[static_cast<std::size_t>(below(4))];
    }
  }
  void write(std::string& out, const json::value& value) {
    blank(out);
    if (value.is_object()) {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : value.as_object()) {
        if (!first) out += ',';
        first = false;
        blank(out);
        write_string(out, key);
        blank(out);
        out += ':';
        write(out, member);
      }
      blank(out);
      out += '}';
    } else if (value.is_array()) {
      out += '[';
      bool first = true;
      for (const auto& element : value.as_array()) {
        if (!first) out += ',';
        first = false;
        write(out, element);
      }
      blank(out);
      out += ']';
    } else if (value.is_string()) {
      write_string(out, value.as_string());
    } else {
      out += json::serialize(value);
    }
    blank(out);
  }
  void write_string(std::string& out, std::string_view text) {
    const bool escaping = chance(10);
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      const bool must = c < 0x20 || c == '"' || c == '\\';
      if (text.substr(i).starts_with("\U0001F600") && chance(50)) {
        out += R"(\ud83D\uDe00)";
        i += 3;
      } else if (c < 0x80 && (must || (escaping && chance(40)))) {
        char hex[8];
        std::snprintf(hex, sizeof hex, chance(50) ? "\\u%04x" : "\\u%04X", c);
        const bool short_form = (c == '"' || c == '\\' || c == '/') && chance(50);
        out += short_form ? std::string{'\\', static_cast<char>(c)} : std::string(hex);
      } else {
        out += static_cast<char>(c);
      }
    }
    out += '"';
  }

  std::mt19937 random_;
};

Found scan_at_random_borders(const std::string& document, Generator& generator) {
  StateScanner scanner(our_host, our_id);
  const int most = 1 << generator.below(9);
  for (std::size_t at = 0; at < document.size();) {
    const std::size_t size = 1 + static_cast<std::size_t>(generator.below(most));
    scanner.feed(std::string_view(document).substr(at, size));
    at += size;
  }
  scanner.finish();
  return result_of(scanner);
}

TEST(StateScannerProperty, SaysWhatAFullParseSays) {
  int seen[5] = {};
  for (unsigned seed = 1; seed <= 6000; ++seed) {
    Generator generator(seed);
    const std::string document = generator.text(generator.document());
    const auto expected = full_parse(document);
    ASSERT_TRUE(expected) << "seed " << seed << ": the generator wrote bad JSON: " << document;
    ASSERT_EQ(scan(document), *expected) << "seed " << seed << ": " << document;
    for (int round = 0; round < 3; ++round) {
      ASSERT_EQ(scan_at_random_borders(document, generator), *expected)
          << "seed " << seed << ": " << document;
    }
    ++seen[static_cast<int>(expected->progress)];
  }
  // Documents that all end the same way would show nothing.
  EXPECT_GT(seen[static_cast<int>(Progress::found)], 2000);
  EXPECT_GT(seen[static_cast<int>(Progress::service_missing)], 300);
  EXPECT_GT(seen[static_cast<int>(Progress::host_missing)], 300);
  EXPECT_GT(seen[static_cast<int>(Progress::unparsable)], 100);
}

/// Bytes changed, lost or doubled: no crash, and the same answer at every border.
TEST(StateScannerProperty, BrokenDocumentsSayTheSameAtEveryBorder) {
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    Generator generator(seed);
    std::string document = generator.text(generator.document());
    for (int changes = 1 + generator.below(3); changes > 0 && !document.empty(); --changes) {
      const auto at = static_cast<std::size_t>(generator.below(static_cast<int>(document.size())));
      switch (generator.below(3)) {
        case 0:
          document[at] = "\"\\{}[],:0u\xff"[static_cast<std::size_t>(generator.below(11))];
          break;
        case 1:
          document.erase(at, 1);
          break;
        default:
          document.insert(at, 1, document[at]);
      }
    }
    const Found whole = scan(document);
    ASSERT_NE(whole.progress, Progress::reading);
    ASSERT_EQ(scan_in_steps(document, 1), whole) << "seed " << seed << ": " << document;
    ASSERT_EQ(scan_at_random_borders(document, generator), whole) << "seed " << seed;
  }
}

}  // namespace
}  // namespace sidecar_executor::sidecar
