#include "cli/json_text.h"

#include <gtest/gtest.h>

#include "cli/template.h"

namespace berth::cli {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonText, LetsNoTextOrderATerminalAbout) {
  EXPECT_EQ(json_text(Json{"\x1b[2J \x7F \u0080 \u009b31m"}, -1), R"(["\u001b[2J \u007f \u0080 \u009b31m"])");
  EXPECT_EQ(json_text(Json{{"\u009b", 1}}, -1), R"({"\u009b":1})");
}

TEST(JsonText, LeavesAllOtherTextAsItIs) {
  EXPECT_EQ(json_text(Json{"caf\u00e9 \u00a0\u00bf \u201c\U0001F6A2"}, -1),
            "[\"caf\u00e9 \u00a0\u00bf \u201c\U0001F6A2\"]");
  EXPECT_EQ(json_text(Json{"\xFF\xC2"}, -1), "[\"\uFFFD\uFFFD\"]") << "what is no UTF-8 is replaced";
  EXPECT_EQ(json_text(Json{{"a", Json::array({1})}}, 2), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(JsonText, SaysTheSameToAProgram) {
  const Json value{"\x1b \x7F \u0085 \u009b"};
  EXPECT_EQ(Json::parse(json_text(value, -1)), value);
}

TEST(JsonText, IsWhatATemplatePrintsToo) {
  const Template parsed = Template::parse("{{json .Labels}}").value();
  EXPECT_EQ(parsed.expand(Json{{"Labels", {{"a", "\u009b31m"}}}}).value(), R"({"a":"\u009b31m"})");
}

}  // namespace
}  // namespace berth::cli
