#include "engine/identity/identity_template.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/accounts.h"

namespace berth::engine {
namespace {

using testing::HasSubstr;

const PasswdFields kUser{"10000", 10000, 7, "Container user", "/work", "/bin/sh"};
const GroupFields kGroup{"5000", 5000, "svc"};

// The line without its newline, or what was said.
std::string passwd(std::string_view text, const PasswdFields& fields = kUser) {
  const Result<std::string> line = passwd_line_from(text, fields);
  if (!line) return line.error().message + " | " + line.error().hint;
  EXPECT_TRUE(line->ends_with('\n'));
  return line->substr(0, line->size() - 1);
}
std::string group(std::string_view text, const GroupFields& fields = kGroup) {
  const Result<std::string> line = group_line_from(text, fields);
  if (!line) return line.error().message + " | " + line.error().hint;
  return line->substr(0, line->size() - 1);
}

TEST(Template, VariablesAreFilledIn) {
  EXPECT_EQ(passwd("$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/ash"),
            "10000:*:10000:7:Container user:/work:/bin/ash");
  EXPECT_EQ(passwd("svc:x:10000:0::$HOME/$USERNAME/$UID:"), "svc:x:10000:0::/work/10000/10000:");
  EXPECT_EQ(group("$GROUPNAME:x:$GID:$USERLIST,web"), "5000:x:5000:svc,web");
  EXPECT_EQ(group("team:x:5000:"), "team:x:5000:");
}

TEST(Template, AValueIsNeverReadAsATemplate) {
  PasswdFields fields = kUser;
  fields.gecos = "$UID$HOME";
  fields.home = "/$NAME";
  EXPECT_EQ(passwd("svc:x:$UID:0:$NAME:$HOME:/bin/sh", fields), "svc:x:10000:0:$UID$HOME:/$NAME:/bin/sh");
}

TEST(Template, OnlyCapitalsMakeAVariable) {
  EXPECT_EQ(passwd("svc:$6$salt$0ab:$UID:0::/a$:/bin/sh"), "svc:$6$salt$0ab:10000:0::/a$:/bin/sh");
  EXPECT_EQ(passwd("svc-$UIDs:x:$UID:0::/:/bin/sh"), "svc-10000s:x:10000:0::/:/bin/sh");
}

TEST(Template, EveryRefusalSaysWhy) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "has 1 fields"},
      {"svc:x:$UID:0::/", "has 6 fields | It is NAME:PASSWORD:UID:GID:DESCRIPTION:HOME:SHELL."},
      {"svc:x:$UID:0::/:/bin/sh:x", "has 8 fields"},
      {"svc:x:$UID:0::/:/bin/sh\n", "holds a control character"},
      {"svc:x:$UID:0::/:/bin/sh\nroot::0:0::/:", "holds a control character"},
      {"svc:x:$UID:0::/\r:/bin/sh", "holds a control character"},
      {std::string("svc:x:$UID:0::/a\0b:/bin/sh", 26), "holds a control character"},
      {"svc:x:$UID:0::/\x7f:/bin/sh", "holds a control character"},
      {"svc:x:$UID:0::$SHELL:/bin/sh", "there is no variable $SHELL | There are $USERNAME, $UID, $GID"},
      {"svc:x:$UIDX:0::/:/bin/sh", "there is no variable $UIDX"},
      {"svc:x:0:0::/:/bin/sh", "an entry for UID 0, and the one that is missing is of UID 10000 | $UID"},
      {"svc:x:10001:0::/:/bin/sh", "for UID 10001"},
      {"svc:x:1$UID:0::/:/bin/sh", "for UID 110000"},
      {"svc:x::0::/:/bin/sh", "which is no entry"},
      {"svc:x:-1:0::/:/bin/sh", "which is no entry"},
      {"svc:x:4294967296:0::/:/bin/sh", "which is no entry"},
      {"svc:x:$UID:4294967295::/:/bin/sh", "which is no entry"},
      {"svc:x:$UID:x::/:/bin/sh", "which is no entry"},
      {":x:$UID:0::/:/bin/sh", "which is no entry"},
      {"#svc:x:$UID:0::/:/bin/sh", "which is no entry"},
      {"+:x:$UID:0::/:/bin/sh", "which is no entry"},
      {"-svc:x:$UID:0::/:/bin/sh", "which is no entry"},
      {"a,b:x:$UID:0::/:/bin/sh", "the user name \"a,b\" holds a blank, a colon, a comma"},
      {"a/b:x:$UID:0::/:/bin/sh", "holds a blank"},
      {"a b:x:$UID:0::/:/bin/sh", "holds a blank"},
      {"svc:x:$UID:0:::/bin/sh", "the home directory \"\" is no absolute path"},
      {"svc:x:$UID:0::home:/bin/sh", "no absolute path"},
      {std::string(256, 'n') + ":x:$UID:0::/:/bin/sh", "has 256 bytes; 255 are the most"},
      {"svc:x:$UID:0:" + std::string(4096, 'n') + ":/:/bin/sh", "4096 are the most"}};
  for (const auto& [text, message] : rows) EXPECT_THAT(passwd(text), HasSubstr(message)) << text;
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"team:x:$GID", "has 3 fields | It is NAME:PASSWORD:GID:MEMBERS."},
           {"team:x:$GID:a:b", "has 5 fields"},
           {"team:x:$UID:", "there is no variable $UID | There are $GROUPNAME, $GID, $USERLIST."},
           {"team:x:0:", "an entry for GID 0, and the one that is missing is of GID 5000"},
           {"team:x:x:", "which is no entry"},
           {"team:x:$GID:a b", "the group member \"a b\" holds a blank"},
           {"team:x:$GID:a,,b", "the group member is empty"},
           {"te am:x:$GID:", "the group name \"te am\" holds a blank"},
           {"team:x:$GID:\n", "holds a control character"}}) {
    EXPECT_THAT(group(text), HasSubstr(message)) << text;
  }
}

// What comes in through a variable is as little trusted: a home that an image's working directory says, the
// description of an account.
TEST(Template, HostileValuesAreRefused) {
  const std::string_view text = "$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/sh";
  const std::string nul("/a\0b", 4);
  for (const std::string& bad :
       {std::string("/x\nroot::0:0::/:/bin/sh"), std::string("/x\r"), std::string("/x:y"), nul,
        std::string("/\x1b[0m"), "/" + std::string(65536, 'x')}) {
    PasswdFields fields = kUser;
    fields.home = bad;
    EXPECT_FALSE(passwd_line_from(text, fields)) << bad.substr(0, 40);
    fields = kUser;
    fields.gecos = bad;
    EXPECT_FALSE(passwd_line_from(text, fields)) << bad.substr(0, 40);
    fields = kUser;
    fields.name = bad;
    EXPECT_FALSE(passwd_line_from(text, fields)) << bad.substr(0, 40);
    EXPECT_FALSE(group_line_from("$GROUPNAME:x:$GID:", {bad, 5000, "svc"}));
    EXPECT_FALSE(group_line_from("team:x:$GID:$USERLIST", {"5000", 5000, bad}));
  }
}

// Whatever the template: it is refused, or it is exactly one entry of the right user.
TEST(Template, ALineIsOneEntryOfThatUser) {
  std::mt19937 random(20240607);
  const std::vector<std::string> pieces{
      "$UID", "$GID", "$NAME", "$HOME", "$USERNAME", ":",  ":",
      ":",    "x",    "0",     "10000", "/",         "\n", "#",
      "+",    " ",    ",",     "svc",   "$",         "-1", std::string(1, '\0')};
  size_t accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = "svc:x:$UID:$GID:$NAME:$HOME:/bin/sh";
    for (size_t i = 0, count = random() % 4; i < count; ++i)
      text.insert(random() % (text.size() + 1), pieces[random() % pieces.size()]);
    if (random() % 4 == 0) text.erase(random() % text.size(), 1);
    const Result<std::string> line = passwd_line_from(text, kUser);
    if (!line) continue;
    ++accepted;
    ASSERT_EQ(std::count(line->begin(), line->end(), '\n'), 1) << text;
    PasswdReader reader(*line);
    const auto entry = reader.next();
    ASSERT_TRUE(entry) << text;
    EXPECT_EQ(entry->uid, kUser.uid) << text;
    EXPECT_FALSE(reader.next()) << text;
  }
  EXPECT_GT(accepted, 1000U);
}

}  // namespace
}  // namespace berth::engine
