#include "oci/strict_json.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "oci/json.h"

namespace berth::oci {
namespace {

constexpr size_t kEnough = 1 << 20;

std::string refusal(std::string_view text, size_t max_bytes = kEnough) {
  const auto document = parse_strict_json(text, max_bytes);
  return document ? "accepted: " + document->dump() : document.error().message;
}

TEST(StrictJson, BuildsWhatTheOtherParserDoes) {
  for (const char* text : {R"({"a":[1,-2,3.5,true,false,null,"é",{}],"b":{"c":[]},"":""})", "[]", "1",
                           "\"a\"", "null", "18446744073709551615", "[[[1]],[2]]"}) {
    const auto strict = parse_strict_json(text, kEnough);
    ASSERT_TRUE(strict) << text << strict.error().message;
    EXPECT_EQ(*strict, *parse_json(text, kEnough)) << text;
  }
}

TEST(StrictJson, RefusesWhatReadersMayTakeDifferently) {
  EXPECT_EQ(refusal(R"({"a":{"b":[{"c":1,"d":2,"c":3}]}})"), R"(a.b[0]: "c" is given twice)");
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), R"("a" is given twice)");
  EXPECT_EQ(refusal(R"([{"a":1},{"a":1}])"), R"(accepted: [{"a":1},{"a":1}])");
  EXPECT_EQ(refusal(R"(["a",["\u0000"]])"), "[1][0]: it holds a NUL byte");
  EXPECT_EQ(refusal(R"({"\u0000":1})"), "the name of a member holds a NUL byte");
  EXPECT_EQ(refusal("[1,]"), "it is not valid JSON (at byte 4)");
}

TEST(StrictJson, HasBounds) {
  EXPECT_EQ(refusal("[ ]", 2), "it has 3 bytes, and at most 2 are read");
  EXPECT_EQ(refusal(std::string(64, '[') + std::string(64, ']')).substr(0, 9), "accepted:");
  EXPECT_EQ(refusal(std::string(65, '[') + std::string(65, ']')), "it nests deeper than 64 levels");
}

TEST(JsonView, ValuesAreShownOnlyWhereThatIsAskedFor) {
  const nlohmann::json document = nlohmann::json::parse(R"({"a":{"password":7}})");
  const auto why = [&](JsonView::Values values) {
    const JsonView root(document, "the file", values);
    return root.find("a").value()->member("password").value().string().error().message;
  };
  EXPECT_EQ(why(JsonView::Values::hidden), "the file: a.password must be a string, and is of type number");
  EXPECT_EQ(why(JsonView::Values::shown), "the file: a.password must be a string, and is of type number: 7");
}

TEST(JsonView, NumbersKeepToTheirTypeAndRange) {
  const nlohmann::json document =
      nlohmann::json::parse(R"([-1,300,18446744073709551615,1.0,-9223372036854775808])");
  const std::vector<JsonView> numbers = *JsonView(document, "x").elements();
  EXPECT_EQ(*numbers[0].number<int>(), -1);
  EXPECT_EQ(numbers[0].number<uint8_t>().error().message, "x: [0]: -1 is not allowed, only 0 to 255");
  EXPECT_EQ(numbers[1].number<uint8_t>().error().message, "x: [1]: 300 is not allowed, only 0 to 255");
  EXPECT_EQ(*numbers[1].number<uint16_t>(7, 300), 300);
  EXPECT_EQ(numbers[1].number<int64_t>(7, 299).error().message, "x: [1]: 300 is not allowed, only 7 to 299");
  EXPECT_EQ(*numbers[2].number<uint64_t>(), UINT64_MAX);
  EXPECT_FALSE(numbers[2].number<int64_t>());
  EXPECT_EQ(numbers[3].number<int>().error().message, "x: [3] must be an integer, and is of type number");
  EXPECT_EQ(*numbers[4].number<int64_t>(), INT64_MIN);
}

}  // namespace
}  // namespace berth::oci
