#include "idmap/userns_mode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::idmap {
namespace {

using testing::HasSubstr;

template <typename Mode>
Mode parsed(std::string_view value) {
  const auto mode = parse_userns_mode(value);
  EXPECT_TRUE(mode) << mode.error().message;
  if (!mode || !std::holds_alternative<Mode>(*mode)) {
    ADD_FAILURE() << value << " is another mode";
    return {};
  }
  return std::get<Mode>(*mode);
}

TEST(UsernsMode, EachMode) {
  parsed<UsernsPrivate>("private");
  parsed<UsernsHost>("host");
  EXPECT_EQ(parsed<UsernsOfContainer>("container:web").name, "web");
  EXPECT_EQ(parsed<UsernsOfPath>("ns:/proc/12/ns/user").path, "/proc/12/ns/user");
  EXPECT_EQ(parsed<UsernsOfPath>("ns:/a:b,c=d").path, "/a:b,c=d");
  EXPECT_EQ(parsed<UsernsKeepId>("keep-id").uid, std::nullopt);
  const auto keep_id = parsed<UsernsKeepId>("keep-id:uid=200,gid=210");
  EXPECT_EQ(keep_id.uid, 200U);
  EXPECT_EQ(keep_id.gid, 210U);
  EXPECT_EQ(parsed<UsernsKeepId>("keep-id:gid=0").gid, 0U);
  EXPECT_EQ(parsed<UsernsAuto>("auto").size, std::nullopt);
  EXPECT_EQ(parsed<UsernsAuto>("auto:size=8192").size, 8192U);
}

TEST(UsernsMode, AutoMapsMoreAsAPlusWould) {
  const auto mode =
      parsed<UsernsAuto>("auto:uidmapping=1000:@1000:1,size=70000,gidmapping=5:6,uidmapping=7:8");
  EXPECT_EQ(mode.size, 70000U);
  ASSERT_EQ(mode.mapping.size(), 3U);
  EXPECT_TRUE(mode.mapping[0].adds && mode.mapping[0].for_users && mode.mapping[0].host_terms);
  EXPECT_FALSE(mode.mapping[0].for_groups);
  EXPECT_FALSE(mode.mapping[1].for_users);
  EXPECT_EQ(map_request_size(mode.mapping[1]), 1U);
}

TEST(UsernsMode, IsWrittenAndReadAgain) {
  for (const char* value : {"private", "host", "keep-id", "keep-id:uid=1", "keep-id:gid=2",
                            "keep-id:uid=1,gid=2", "container:web", "ns:/x", "auto", "auto:size=5",
                            "auto:gidmapping=1:2:3", "auto:size=5,uidmapping=1:@2:,gidmapping=1:2:3"}) {
    const auto mode = parse_userns_mode(value);
    ASSERT_TRUE(mode) << value;
    EXPECT_EQ(userns_text(*mode), value);
  }
}

struct Bad {
  const char* value;
  const char* message;
};

TEST(UsernsMode, EveryRefusalHasItsMessage) {
  const std::vector<Bad> table{
      {"", "--userns \"\": it is empty"},
      {"hots", "--userns hots: there is no such mode"},
      {"HOST", "--userns HOST: there is no such mode"},
      {"nomap", "--userns nomap: nomap is for engines without root; private maps no host user either"},
      {"host:", "--userns host:: host has no options"},
      {"private:size=5", "--userns private:size=5: private has no options"},
      {"container", "--userns container:: it names no container"},
      {"container:", "--userns container:: it names no container"},
      {"ns", "--userns ns:: it names no path"},
      {"ns:proc/1/ns/user",
       "--userns ns:proc/1/ns/user: the path must be absolute, for example ns:/proc/123/ns/user"},
      {"keep-id:", "--userns keep-id: it has no option \"\""},
      {"keep-id:user=5", "--userns keep-id: it has no option \"user\""},
      {"keep-id:uid", "--userns keep-id: uid needs a value: uid=N"},
      {"keep-id:uid=", "--userns keep-id: uid needs a value: uid=N"},
      {"keep-id:uid=me", "--userns keep-id: uid=me is not a number"},
      {"keep-id:uid=-1", "--userns keep-id: uid=-1 is not a number"},
      {"keep-id:uid=4294967295", "--userns keep-id: uid=4294967295 is too big: the highest is 4294967294"},
      {"keep-id:gid=18446744073709551616",
       "--userns keep-id: gid=18446744073709551616 is too big: the highest is 4294967294"},
      {"keep-id:uid=1,uid=2", "--userns keep-id: uid is given twice"},
      {"keep-id:size=5",
       "--userns keep-id: size= is for engines without root, whose IDs are few; a container has a bank"},
      {"auto:size=0", "--userns auto: size=0 leaves no ID"},
      {"auto:size=4294967296", "--userns auto: size=4294967296 is too big: the highest is 4294967295"},
      {"auto:size=5,", "--userns auto: it has no option \"\""},
      {"auto:uidmap=0:1:2", "--userns auto: it has no option \"uidmap\""},
      {"auto:uidmapping=0:1:0", "--userns auto:uidmapping 0:1:0: a size of 0 maps nothing"},
      {"auto:gidmapping=+0:1:1",
       "--userns auto: gidmapping=+0:1:1: the flags + u g are for --uidmap and --gidmap"},
  };
  for (const Bad& bad : table) {
    const auto mode = parse_userns_mode(bad.value);
    ASSERT_FALSE(mode) << bad.value;
    EXPECT_EQ(mode.error().message, bad.message);
    EXPECT_EQ(mode.error().code, Code::usage);
  }
  EXPECT_EQ(parse_userns_mode("hots").error().hint, "Did you mean host?");
  EXPECT_EQ(parse_userns_mode("auto:uidmaping=0:1:2").error().hint, "Did you mean uidmapping=?");
  EXPECT_FALSE(parse_userns_mode(std::string_view("container:a\0b", 13)));
  EXPECT_LT(parse_userns_mode("ns:/" + std::string(100000, 'x')).error().message.size(), 200U);
}

}  // namespace
}  // namespace berth::idmap
