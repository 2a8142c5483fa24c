// Strings at one path of a document that comes in pieces.
#include "mesos/cluster.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

namespace sidecar_executor::mesos {
namespace {

using Strings = std::vector<std::string>;

struct Outcome {
  Strings found;
  bool bad = false;  ///< not JSON, or cut off
  bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  for (const auto& text : o.found) out << text << " ";
  return out << (o.bad ? "bad" : "good");
}

Outcome find(std::string_view document, Strings path, std::size_t limit = 1000,
             std::size_t step = std::string::npos) {
  JsonStringFinder finder(std::move(path), limit);
  for (std::size_t at = 0; at < document.size(); at += std::min(step, document.size())) {
    const auto enough = finder.feed(document.substr(at, step));
    if (!enough) return {finder.found(), true};
    if (*enough) return {finder.found()};
  }
  return {finder.found(), !finder.finish().has_value()};
}

Outcome masters(std::string_view document, std::size_t step = std::string::npos) {
  return find(document, {"master_hostname"}, 1, step);
}
Outcome hosts(std::string_view document, std::size_t step = std::string::npos) {
  return find(document, {"slaves", "hostname"}, 1000, step);
}

TEST(JsonStringFinder, OneStringOfTheDocument) {
  EXPECT_EQ(masters(R"({"master_hostname":"m1"})"), (Outcome{{"m1"}}));
  EXPECT_EQ(masters(R"({"a":{"master_hostname":"no"},"b":["master_hostname"],)"
                    R"("c":"master_hostname","master_hostname":"m1"})"),
            (Outcome{{"m1"}}));
  EXPECT_EQ(masters(R"({"\u006daster_hostname":"m\u00fc"})"), (Outcome{{"m\u00fc"}}));
  EXPECT_EQ(masters("{}"), (Outcome{{}}));
  EXPECT_EQ(masters(R"({"master_hostname":{"master_hostname":"no"}})"), (Outcome{{}}));
}

TEST(JsonStringFinder, WrongTypesAreNotFound) {
  for (const char* value : {"1", "-2.5", "true", "null", "{}", "[]", "{\"x\":\"y\"}"}) {
    EXPECT_EQ(masters(R"({"master_hostname":)" + std::string(value) + "}"), (Outcome{{}})) << value;
  }
  EXPECT_EQ(hosts(R"({"slaves":null})"), (Outcome{{}}));
  EXPECT_EQ(hosts(R"({"slaves":"host"})"), (Outcome{{}}));
  EXPECT_EQ(hosts(R"({"slaves":[1,"x",null,["y"],{"hostname":7},{"hostname":"b"}]})"),
            (Outcome{{"b"}}));
}

TEST(JsonStringFinder, EveryStringBelowAnArray) {
  const std::string document =
      R"({"recovered_slaves":[{"hostname":"no"}],"slaves":[{"id":"1","hostname":"a","x":)"
      R"({"hostname":"no","slaves":[{"hostname":"no"}]}},{"hostname":"b"},{},{"hostname":""}],)"
      R"("hostname":"no","more":{"slaves":[{"hostname":"no"}]}})";
  const Outcome expected{{"a", "b", ""}};
  EXPECT_EQ(hosts(document), expected);
  for (std::size_t step = 1; step < document.size(); ++step) {
    ASSERT_EQ(hosts(document, step), expected) << "chunks of " << step;
  }
}

TEST(JsonStringFinder, BrokenDocuments) {
  for (const char* text : {"", "<html>", "{\"a\":}", "{\"a\" 1}", "{]", "nul1"}) {
    EXPECT_TRUE(masters(text).bad) << text;
    EXPECT_TRUE(masters(text, 1).bad) << text;
  }
}

TEST(JsonStringFinder, CutAtEveryByte) {
  const std::string document = R"({"slaves":[{"hostname":"a"},{"hostname":"b","n":1.5e3}]})";
  for (std::size_t size = 0; size < document.size(); ++size) {
    EXPECT_TRUE(hosts(document.substr(0, size)).bad) << "cut at " << size;
    EXPECT_TRUE(hosts(document.substr(0, size), 1).bad) << "cut at " << size;
  }
  EXPECT_FALSE(hosts(document).bad);
}

TEST(JsonStringFinder, WhatFollowsTheDocumentIsNoSecondOne) {
  JsonStringFinder finder({"slaves", "hostname"}, 10);
  ASSERT_TRUE(finder.feed("{\"slaves\":[]} x").has_value());
  ASSERT_TRUE(finder.feed("\r\n").has_value());
  ASSERT_TRUE(finder.feed(R"({"slaves":[{"hostname":"no"}]})").has_value());
  EXPECT_TRUE(finder.finish().has_value());
  EXPECT_TRUE(finder.found().empty());
  EXPECT_EQ(hosts("{\"slaves\":[{\"hostname\":\"a\"}]}\r\n \n", 1), (Outcome{{"a"}}));
}

TEST(JsonStringFinder, LongStringsAreNotFoundAndNotPiecedTogether) {
  const std::string longest(4096, 'h');
  EXPECT_EQ(masters(R"({"master_hostname":")" + longest + "\"}"), (Outcome{{longest}}));
  const std::string too_long = R"({"master_hostname":")" + longest + "x\"}";
  EXPECT_EQ(masters(too_long), (Outcome{{}}));
  // In chunks the first part fits, the second does not and the third would again.
  EXPECT_EQ(masters(too_long, 4000), (Outcome{{}}));
  EXPECT_EQ(masters(R"({"master_hostname":"x)" + longest + R"(x","master_hostname":"m1"})", 3000),
            (Outcome{{"m1"}}))
      << "and the next string is whole again";
  EXPECT_EQ(masters(R"({")" + std::string(9000, 'k') + R"(":"x","master_hostname":"m1"})", 1000),
            (Outcome{{"m1"}}));
}

TEST(JsonStringFinder, StopsAtTheLimit) {
  JsonStringFinder finder({"slaves", "hostname"}, 2);
  const auto enough = finder.feed(
      R"({"slaves":[{"hostname":"a"},{"hostname":"b"},{"hostname":"c"}]} and then garbage)");
  ASSERT_TRUE(enough.has_value());
  EXPECT_TRUE(*enough);
  EXPECT_EQ(finder.found(), (Strings{"a", "b"}));
  EXPECT_TRUE(finder.finish().has_value());
}

TEST(JsonStringFinder, HugePaddedDocument) {
  JsonStringFinder finder({"master_hostname"}, 1);
  ASSERT_TRUE(finder.feed(R"({"frameworks":[)").has_value());
  std::string padding;
  for (int i = 0; i < 1000; ++i) {
    padding += R"({"id":")" + std::to_string(i) + R"(","pad":")" + std::string(1000, 'x') + "\"},";
  }
  for (int i = 0; i < 30; ++i) {
    const auto enough = finder.feed(padding);
    ASSERT_TRUE(enough.has_value());
    ASSERT_FALSE(*enough);
  }
  const auto enough = finder.feed(R"({}],"master_hostname":"m1",)");
  ASSERT_TRUE(enough.has_value());
  EXPECT_TRUE(*enough);
  EXPECT_EQ(finder.found(), Strings{"m1"});
}

TEST(JsonStringFinder, AnswersOfARealAgentAndMaster) {
  std::ifstream file(SX_SOURCE_DIR "/tests/golden/transcripts/07-state-endpoints.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto recorded = boost::json::parse(text.str()).as_object();
  const auto body = [&](const char* name) {
    return boost::json::serialize(recorded.at(name).as_object().at("body"));
  };
  EXPECT_EQ(masters(body("agent /state"), 100), (Outcome{{"localhost"}}));
  EXPECT_EQ(hosts(body("master /slaves"), 7).found.at(0), "agent1.example");
  EXPECT_EQ(hosts(body("master /slaves?slave_id=")), (Outcome{{}}));
}

TEST(Seeds, FitIntoOneVariable) {
  Strings few{"a", "b"};
  EXPECT_EQ(keep_what_fits(few), 0u);
  EXPECT_EQ(few, (Strings{"a", "b"}));
  Strings many(10'000, std::string(29, 'h'));
  EXPECT_EQ(keep_what_fits(many), 10'000u - 4096u);
  EXPECT_EQ(many.size(), 4096u);
  EXPECT_LT(many.size() * 30 + std::string_view("SIDECAR_SEEDS=").size(), 128u * 1024);
}

}  // namespace
}  // namespace sidecar_executor::mesos
