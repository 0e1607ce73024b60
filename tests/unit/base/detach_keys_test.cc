#include "base/detach_keys.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(DetachKeys, AreCharactersAndControlKeys) {
  EXPECT_EQ(parse_detach_keys(kUsualDetachKeys).value(), "\x10\x11");
  EXPECT_EQ(parse_detach_keys("a,ctrl-@,ctrl-_,ctrl-Z").value(), std::string("a\0\x1f\x1a", 4));
  EXPECT_EQ(parse_detach_keys("").value(), "");
  for (const char* wrong : {"ab", "a,,b", ",", "ctrl-", "ctrl-1", "ctrl-pp", "a,"})
    EXPECT_FALSE(parse_detach_keys(wrong)) << wrong;
}

TEST(DetachKeys, LetEverythingElseThrough) {
  DetachKeys keys("aab");
  EXPECT_EQ(keys.filter("xa"), "x");
  EXPECT_EQ(keys.filter("c"), "ac");
  EXPECT_EQ(keys.filter("aac"), "aac");
  EXPECT_FALSE(keys.pressed());
}

TEST(DetachKeys, AreFoundWhereTheirBeginningComesTwice) {
  DetachKeys keys("aab");
  EXPECT_EQ(keys.filter("aaa"), "a");
  EXPECT_FALSE(keys.pressed());
  EXPECT_EQ(keys.filter("bmore"), "");
  EXPECT_TRUE(keys.pressed());
}

TEST(DetachKeys, CanBeNone) {
  DetachKeys keys("");
  EXPECT_EQ(keys.filter("\x10\x11"), "\x10\x11");
  EXPECT_FALSE(keys.pressed());
}

}  // namespace
}  // namespace berth
