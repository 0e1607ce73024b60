#include "engine/identity/identity.h"

#include <random>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "base/accounts.h"
#include "store/image_path.h"
#include "sys/file.h"

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kPasswd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n";
constexpr std::string_view kGroup = "root:x:0:\nwww-data:x:33:\n";

ResolvedUser resolve(std::string_view spec, const AccountFiles& files, std::vector<std::string> groups = {}) {
  const std::vector<Bank> banks{Bank(16)};
  const auto map = idmap::IdMap::from_banks(banks).value();
  return resolve_user({spec, "--user", groups}, files, map, map).value();
}

std::vector<std::string> lines_of(const MissingEntries& missing) {
  std::vector<std::string> out;
  for (const PasswdFields& fields : missing.users) out.push_back(passwd_line(fields).value());
  for (const auto& [name, gid] : missing.groups) out.push_back(group_line(name, gid).value());
  return out;
}

TEST(Identity, AnUnknownUidGetsOneLine) {
  const AccountFiles files{kPasswd, kGroup};
  EXPECT_THAT(lines_of(missing_entries(files, resolve("10000", files))),
              ElementsAre("10000:x:10000:0:Container user::/bin/sh\n"));
  EXPECT_TRUE(missing_entries(files, resolve("www-data", files)).empty());
  EXPECT_TRUE(missing_entries(files, resolve("", files)).empty());
}

TEST(Identity, GroupsWithoutANameGetOne) {
  const AccountFiles files{kPasswd, kGroup};
  EXPECT_THAT(lines_of(missing_entries(files, resolve("33:5000", files, {"600", "600", "0"}))),
              ElementsAre("5000:x:5000:\n", "600:x:600:\n"));
}

TEST(Identity, AnImageWithoutFilesGetsRootToo) {
  const AccountFiles files{std::nullopt, std::nullopt};
  EXPECT_THAT(lines_of(missing_entries(files, resolve("10000:7", files))),
              ElementsAre("root:x:0:0:root:/root:/bin/sh\n", "10000:x:10000:7:Container user::/bin/sh\n",
                          "root:x:0:\n", "7:x:7:\n"));
  EXPECT_THAT(lines_of(missing_entries(files, resolve("", files))),
              ElementsAre("root:x:0:0:Container user::/bin/sh\n", "root:x:0:\n"));
}

TEST(Identity, NamesThatTheImageHasForOthersAreNotTaken) {
  const AccountFiles files{"root:x:5:5::/:/bin/sh\n10000:x:1:1::/:/bin/sh\nu10000:x:2:2::/:/bin/sh\n",
                           "root:x:9:\n0:x:8:\n"};
  EXPECT_THAT(lines_of(missing_entries(files, resolve("10000", files))),
              ElementsAre("uu10000:x:10000:0:Container user::/bin/sh\n", "g0:x:0:\n"));
}

TEST(Identity, WhatIsWantedIsAddedToWhatIsNeeded) {
  const AccountFiles files{kPasswd, kGroup};
  const ResolvedUser user = resolve("10000:600", files);
  const auto lines = [&](const WantedEntries& wanted) {
    const auto added = added_lines({"sha256:0", files, user, "/", wanted}, "/tmp");
    if (!added) return added.error().message;
    std::string text = "HOME=" + added->home + "\n";
    for (const auto* part : {&added->passwd, &added->group, &added->warnings})
      for (const std::string& line : *part) text += line;
    return text;
  };
  EXPECT_EQ(lines({}), "HOME=/tmp\n10000:x:10000:600:Container user:/tmp:/bin/sh\n600:x:600:\n");
  EXPECT_EQ(lines({.any = false}), "HOME=/tmp\n");
  EXPECT_EQ(
      lines({.passwd_template = "svc:x:$UID:$GID::/svc:/bin/sh", .group_template = "team:x:$GID:$USERLIST"}),
      "HOME=/svc\nsvc:x:10000:600::/svc:/bin/sh\nteam:x:600:svc\n");
  EXPECT_EQ(
      lines({.host_users = {{"carol", 4001, 4002, "", "/", "/bin/sh"}}, .host_groups = {{"staff", 600}}}),
      "HOME=/tmp\ncarol:x:4001:4002::/:/bin/sh\n10000:x:10000:600:Container user:/tmp:/bin/sh\n"
      "staff:x:600:\n");
  EXPECT_EQ(lines({.host_users = {{"10000", 4001, 4002, "", "/", "/bin/sh"}}}),
            "HOME=/tmp\n10000:x:4001:4002::/:/bin/sh\nu10000:x:10000:600:Container user:/tmp:/bin/sh\n"
            "600:x:600:\n");
  EXPECT_EQ(lines({.passwd_template = "www-data:x:$UID:0::/:/bin/sh"}),
            "the image's /etc/passwd has the name \"www-data\" already, for another ID");
  EXPECT_EQ(lines({.passwd_template = "svc:x:$UID:0::/:/bin/sh",
                   .host_users = {{"carol", 1, 1, "", "/", "/bin/sh"}}}),
            "two entries for /etc/passwd would have the name \"svc\"");
  EXPECT_EQ(lines({.group_template = "root:x:$GID:"}),
            "the image's /etc/group has the name \"root\" already, for another ID");
}

TEST(Identity, ATemplateWithoutUseIsTold) {
  const AccountFiles files{kPasswd, kGroup};
  const ResolvedUser user = resolve("www-data", files);
  const WantedEntries wanted{.passwd_template = "svc:x:$UID:0::/:/bin/sh", .group_template = "team:x:$GID:"};
  const AddedLines added = added_lines({"sha256:0", files, user, "/", wanted}, "/tmp").value();
  EXPECT_THAT(added.passwd, IsEmpty());
  EXPECT_THAT(added.group, IsEmpty());
  EXPECT_THAT(added.warnings,
              ElementsAre(HasSubstr("--passwd-entry is not used: the image's /etc/passwd has an "
                                    "entry for UID 33 already."),
                          HasSubstr("--group-entry is not used: the image's /etc/group has an entry "
                                    "for GID 33 already.")));
}

// CRI-O CVE-2022-4318 and its bypass CVE-2026-15809.
TEST(Identity, FieldsThatWouldEndALineAreRefused) {
  const std::string nul("a\0b", 3);
  for (const std::string& bad : {std::string("/x\nroot::0:0::/:/bin/sh"), std::string("/x\r"),
                                 std::string("/x:y"), nul, std::string("/\x1b[0m"), std::string("/\x7f")}) {
    EXPECT_FALSE(passwd_line({"app", 1, 1, "", bad, "/bin/sh"}));
    EXPECT_FALSE(passwd_line({bad, 1, 1, "", "/", "/bin/sh"}));
    EXPECT_FALSE(passwd_line({"app", 1, 1, bad, "/", "/bin/sh"}));
    EXPECT_FALSE(passwd_line({"app", 1, 1, "", "/", bad}));
    EXPECT_FALSE(group_line(bad, 1));
  }
  EXPECT_EQ(passwd_line({"app", 1, 2, "", "/a\\nb", "/bin/sh"}).value(), "app:x:1:2::/a\\nb:/bin/sh\n")
      << "a backslash and an n are no newline";
}

TEST(Identity, LinesAreAddedAndTakenOutExactly) {
  const std::vector<std::string> lines{"10000:x:10000:0::/tmp:/bin/sh\n"};
  for (const std::string original : {"root:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/sh", "", "\n", "a\n\n"}) {
    const std::string extended = with_lines(original, lines);
    EXPECT_EQ(std::count(extended.begin(), extended.end(), '1'),
              std::count(lines[0].begin(), lines[0].end(), '1'));
    EXPECT_EQ(without_lines(extended, lines, original), original);
    EXPECT_EQ(without_lines(extended + "new:x:1:1::/:\n", lines, original),
              with_lines(original, std::vector<std::string>{"new:x:1:1::/:\n"}));
    EXPECT_EQ(without_lines(original, lines, original), original);
    EXPECT_EQ(with_lines(original, {}), original);
  }
  const std::string changed = "root:x:0:0::/:\n10000:x:10000:0:Ann:/tmp:/bin/sh\n";
  EXPECT_EQ(without_lines(changed, lines, "root:x:0:0::/:\n"), changed) << "the container's change stays";
  EXPECT_EQ(without_lines("x10000:x:10000:0::/tmp:/bin/sh\n", lines, ""), "x10000:x:10000:0::/tmp:/bin/sh\n");
}

TEST(Identity, AnUpperWithItsOwnPasswdIsWarnedAbout) {
  const AccountFiles files{kPasswd, kGroup};
  const ResolvedUser user = resolve("10000", files);
  EXPECT_EQ(own_passwd_warning("10000:x:10000:0::/:\n", user), std::nullopt);
  EXPECT_THAT(own_passwd_warning(kPasswd, user).value(), HasSubstr("no entry for UID 10000"));
  EXPECT_THAT(own_passwd_warning(std::nullopt, user).value(), HasSubstr("removed /etc/passwd"));
}

TEST(Identity, PermissionIsOfOneClassOnly) {
  const ResolvedUser user = resolve("10000", {kPasswd, kGroup});
  struct stat st{};
  st.st_uid = 10000;
  st.st_mode = S_IFDIR | 0077;
  EXPECT_FALSE(may_write(st, user)) << "the owner has no more than the owner's bits";
  st.st_uid = 1;
  st.st_gid = 0;
  st.st_mode = S_IFDIR | 0705;
  EXPECT_FALSE(may_search(st, user)) << "group 0's bits, though others may";
  st.st_mode = S_IFDIR | 0770;
  EXPECT_TRUE(may_write(st, user));
  st.st_mode = S_IFDIR | 0720;
  EXPECT_FALSE(may_write(st, user)) << "writing needs searching";
  st.st_gid = 5;
  st.st_mode = S_IFDIR | 0773;
  EXPECT_TRUE(may_write(st, user));
}

// A small root file system in a temporary directory, owned by whoever runs the test.
class Rootfs : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::chmod(scratch_.path().c_str(), 0755), 0);
    std::vector<sys::UniqueFd> layer;
    layer.push_back(sys::open_at(AT_FDCWD, scratch_.path(), O_RDONLY | O_DIRECTORY).value());
    image_.emplace(std::move(layer));
  }
  void dir(const std::string& name, mode_t mode) {
    ASSERT_EQ(::mkdir((scratch_.path() + name).c_str(), 0700), 0);
    ASSERT_EQ(::chmod((scratch_.path() + name).c_str(), mode), 0);
  }
  void link(const std::string& name, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), (scratch_.path() + name).c_str()), 0);
  }
  std::string where(std::string_view path) {
    const auto found = store::follow(*image_, path);
    return found ? found->text() + (found->exists() ? "" : fmt::format(" (missing from {})", found->existing))
                 : "refused: " + found.error().message;
  }
  const test::Scratch scratch_;
  std::optional<store::LayerStack> image_;
};

TEST_F(Rootfs, LinksAreFollowedInsideOnly) {
  dir("/usr", 0755);
  dir("/usr/etc", 0755);
  link("/etc", "/usr/../../../usr/./etc/");
  link("/usr/etc/passwd", "../../../../../../data/passwd");
  link("/usr/etc/group", "loop");
  link("/usr/etc/loop", "group");
  link("/usr/etc/self", "/etc/self/x");
  EXPECT_EQ(where("/etc"), "usr/etc");
  EXPECT_EQ(where("/etc/passwd"), "data/passwd (missing from 0)");
  EXPECT_EQ(where("/etc/shadow"), "usr/etc/shadow (missing from 2)");
  EXPECT_EQ(where("/"), "");
  EXPECT_EQ(where("/.."), "");
  EXPECT_THAT(where("/etc/group"), HasSubstr("more than 40 links"));
  EXPECT_THAT(where("/etc/self"), HasSubstr("more than 40 links"));
  EXPECT_THAT(where("/missing/../etc"), HasSubstr("does not exist"));
  EXPECT_THAT(where(std::string(5000, 'x')), HasSubstr("5000 bytes"));
}

TEST_F(Rootfs, HomeIsWhereTheUserCanWrite) {
  const AccountFiles files{
      "root:x:0:0::/root:/bin/sh\nopen:x:70:70::/open:/bin/sh\nshut:x:71:71::/shut:/bin/sh\n"
      "slash:x:72:72::/:/bin/sh\nbad:x:73:73::relative:/bin/sh\n",
      "root:x:0:\n"};
  dir("/open", 0777);
  dir("/shut", 0700);
  dir("/shut/deep", 0777);
  dir("/app", 0777);
  link("/open/link", "/app");
  const auto home = [&](std::string_view user, std::string_view workdir) {
    return choose_home(*image_, resolve(user, files), workdir);
  };
  EXPECT_EQ(home("", "/"), "/root") << "root's is not looked at";
  EXPECT_EQ(home("open", "/app"), "/open");
  EXPECT_EQ(home("shut", "/app"), "/app");
  EXPECT_EQ(home("shut", "/shut/deep"), "/tmp") << "a directory that can't be reached";
  EXPECT_EQ(home("shut", "/open/link"), "/open/link");
  EXPECT_EQ(home("10000", "/app"), "/app");
  EXPECT_EQ(home("10000", "/shut"), "/tmp");
  EXPECT_EQ(home("10000", "/"), "/tmp");
  EXPECT_EQ(home("10000", "//./"), "/tmp");
  EXPECT_EQ(home("10000", "/missing"), "/tmp");
  EXPECT_EQ(home("slash", "/app"), "/app");
  EXPECT_EQ(home("bad", "/app"), "/app");
  dir("/a:b", 0777);
  EXPECT_EQ(home("10000", "/a:b"), "/tmp") << "a colon would end the field";
  EXPECT_EQ(home("10000", "/" + std::string(65536, 'x')), "/tmp");
}

}  // namespace
}  // namespace berth::engine
