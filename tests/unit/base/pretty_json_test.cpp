#include "base/pretty_json.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace sidecar_executor {
namespace {

namespace json = boost::json;

TEST(JsonText, IsJsonWhateverTheNumbers) {
  const auto value = json::parse(R"({"a":1e999,"b":[-1e999,{"c":1.5}],"d":"Infinity","e":7})");
  const std::string text = json_text(value);
  EXPECT_EQ(json::parse(text),
            json::parse(R"({"a":null,"b":[null,{"c":1.5}],"d":"Infinity","e":7})"));
  const auto none = json::parse(json_text(json::parse(R"({"n":0e26102,"b":"NaN"})")));
  EXPECT_FALSE(none.at("n").is_string());
  EXPECT_EQ(none.at("b"), "NaN");
  EXPECT_EQ(json_text(json::parse(R"({"a":[1,2],"b":"x"})")), R"({"a":[1,2],"b":"x"})");
}

TEST(PrettyJson, KeepsTheOrder) {
  EXPECT_EQ(pretty_json(json::parse(R"({"b":[1,{}],"a":[]})")),
            "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": []\n}");
}

}  // namespace
}  // namespace sidecar_executor
