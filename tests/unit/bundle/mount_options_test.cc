#include "bundle/mount_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

namespace berth::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using List = std::vector<std::string>;

MountOptions parsed(const List& options) {
  Result<MountOptions> result = parse_mount_options(options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : MountOptions();
}

std::string refusal(const List& options) {
  const Result<MountOptions> result = parse_mount_options(options);
  return result ? "accepted" : result.error().message;
}

TEST(MountOptions, EachFlagSetsOrClearsItsAttribute) {
  const std::vector<std::tuple<std::string, std::string, uint64_t>> pairs{
      {"ro", "rw", MOUNT_ATTR_RDONLY},
      {"nosuid", "suid", MOUNT_ATTR_NOSUID},
      {"nodev", "dev", MOUNT_ATTR_NODEV},
      {"noexec", "exec", MOUNT_ATTR_NOEXEC},
      {"nodiratime", "diratime", MOUNT_ATTR_NODIRATIME},
      {"nosymfollow", "symfollow", MOUNT_ATTR_NOSYMFOLLOW},
  };
  for (const auto& [on, off, bit] : pairs) {
    EXPECT_EQ(parsed({on}).attributes, (AttributeChange{bit, 0})) << on;
    EXPECT_EQ(parsed({off}).attributes, (AttributeChange{0, bit})) << off;
    EXPECT_EQ(parsed({on, off}).attributes, (AttributeChange{0, bit})) << on << "," << off;
    EXPECT_EQ(parsed({off, on}).attributes, (AttributeChange{bit, 0})) << off << "," << on;
    const MountOptions recursive = parsed({"r" + on});
    EXPECT_EQ(recursive.recursive_attributes, (AttributeChange{bit, 0})) << "r" << on;
    EXPECT_EQ(recursive.attributes, AttributeChange()) << "r" << on;
    EXPECT_EQ(parsed({"r" + off}).recursive_attributes, (AttributeChange{0, bit})) << "r" << off;
  }
}

TEST(MountOptions, AnAccessTimeIsOneOfThree) {
  const std::vector<std::pair<List, uint64_t>> table{
      {{"noatime"}, MOUNT_ATTR_NOATIME},
      {{"relatime"}, MOUNT_ATTR_RELATIME},
      {{"strictatime"}, MOUNT_ATTR_STRICTATIME},
      {{"noatime", "strictatime"}, MOUNT_ATTR_STRICTATIME},
      {{"strictatime", "noatime"}, MOUNT_ATTR_NOATIME},
      {{"noatime", "atime"}, MOUNT_ATTR_RELATIME},
      {{"strictatime", "atime"}, MOUNT_ATTR_STRICTATIME},
      {{"strictatime", "nostrictatime"}, MOUNT_ATTR_RELATIME},
      {{"noatime", "norelatime"}, MOUNT_ATTR_NOATIME},
      {{"norelatime"}, MOUNT_ATTR_RELATIME},
  };
  for (const auto& [options, expected] : table) {
    const AttributeChange change = parsed(options).attributes;
    EXPECT_EQ(change.set, expected) << options.front() << " " << options.back();
    EXPECT_EQ(change.clear, uint64_t{MOUNT_ATTR__ATIME}) << options.front() << " " << options.back();
    List recursive;
    for (const std::string& option : options) recursive.push_back("r" + option);
    EXPECT_EQ(parsed(recursive).recursive_attributes, change) << recursive.front();
  }
  EXPECT_EQ(parsed({"noatime", "nodiratime"}).attributes,
            (AttributeChange{MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, MOUNT_ATTR__ATIME}));
}

// The recursive change is made first, so what comes later in the list has to be what is left in the end.
TEST(MountOptions, TheLastOfARecursiveAndAPlainOneWins) {
  const MountOptions later = parsed({"rro", "rw"});
  EXPECT_EQ(later.recursive_attributes, (AttributeChange{MOUNT_ATTR_RDONLY, 0}));
  EXPECT_EQ(later.attributes, (AttributeChange{0, MOUNT_ATTR_RDONLY}));
  const MountOptions earlier = parsed({"rw", "nodev", "rro"});
  EXPECT_EQ(earlier.recursive_attributes, (AttributeChange{MOUNT_ATTR_RDONLY, 0}));
  EXPECT_EQ(earlier.attributes, (AttributeChange{MOUNT_ATTR_NODEV, 0}));
}

TEST(MountOptions, WhatBelongsToTheSuperblockIsKeptApart) {
  const MountOptions options = parsed({"sync", "dirsync", "lazytime", "iversion", "silent", "mand", "acl"});
  EXPECT_EQ(options.superblock_set, uint64_t{MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_I_VERSION |
                                             MS_SILENT | MS_MANDLOCK | MS_POSIXACL});
  EXPECT_EQ(options.attributes, AttributeChange());
  const MountOptions off = parsed({"sync", "async", "loud", "nolazytime", "noiversion", "nomand", "noacl"});
  EXPECT_EQ(off.superblock_set, 0U);
  EXPECT_EQ(off.superblock_clear,
            uint64_t{MS_SYNCHRONOUS | MS_SILENT | MS_LAZYTIME | MS_I_VERSION | MS_MANDLOCK | MS_POSIXACL});
}

TEST(MountOptions, PropagationIsAListInItsOrder) {
  EXPECT_THAT(parsed({"rslave", "shared"}).propagation,
              ElementsAre(Propagation{MS_SLAVE, true}, Propagation{MS_SHARED, false}));
  EXPECT_THAT(parsed({"private", "rprivate", "unbindable", "runbindable", "rshared", "slave"}).propagation,
              ElementsAre(Propagation{MS_PRIVATE, false}, Propagation{MS_PRIVATE, true},
                          Propagation{MS_UNBINDABLE, false}, Propagation{MS_UNBINDABLE, true},
                          Propagation{MS_SHARED, true}, Propagation{MS_SLAVE, false}));
}

TEST(MountOptions, BindsAndTheRestOfTheWords) {
  EXPECT_TRUE(parsed({"bind"}).bind);
  EXPECT_FALSE(parsed({"rbind", "bind"}).recursive_bind);
  EXPECT_TRUE(parsed({"bind", "rbind"}).recursive_bind);
  EXPECT_TRUE(parsed({"remount"}).remount);
  EXPECT_TRUE(parsed({"tmpcopyup"}).copy_up);
  EXPECT_TRUE(parsed({"copy-symlink"}).copy_symlink);
  EXPECT_TRUE(parsed({"src-nofollow"}).source_nofollow);
  EXPECT_TRUE(parsed({"dest-nofollow"}).destination_nofollow);
}

TEST(MountOptions, IdMapsAreReadAsCrunAndPodmanWriteThem) {
  EXPECT_EQ(parsed({"idmap"}).idmap, MountOptions::Idmap::mount);
  EXPECT_EQ(parsed({"idmap", "ridmap"}).idmap, MountOptions::Idmap::recursive);
  const MountOptions options = parsed({"ridmap=uids=0-1-10#@10-11-5;gids=0-100-10"});
  EXPECT_EQ(options.idmap, MountOptions::Idmap::recursive);
  EXPECT_THAT(options.uid_triples, ElementsAre(IdTriple{0, 1, 10, false}, IdTriple{10, 11, 5, true}));
  EXPECT_THAT(options.gid_triples, ElementsAre(IdTriple{0, 100, 10, false}));
  EXPECT_THAT(parsed({"idmap=uids=0-1-10;gids=0-1-10", "idmap"}).uid_triples, IsEmpty());
  for (const char* wrong :
       {"idmap=", "idmap=uids=", "idmap=uids=0-1", "idmap=uids=0-1-2",
        "idmap=uids=0-1-2;gids=", "idmap=uids=0-1-2;gids=0-1-x", "idmap=uids=0-1-2#;gids=0-1-2",
        "idmap=gods=0-1-2", "idmap=uids=0-1-4294967296;gids=0-1-2", "idmap=uids=0-1-0;gids=0-1-2",
        "idmap=uids=0-1-4294967295;gids=0-1-2", "idmap=uids=0--1-2;gids=0-1-2"}) {
    EXPECT_THAT(refusal({wrong}), HasSubstr("is not of the form idmap=uids=DISK-HOST-COUNT")) << wrong;
  }
}

TEST(MountOptions, WhatNobodyKnowsGoesToTheFileSystem) {
  const MountOptions options =
      parsed({"mode=755", "size=65536k", "newinstance", "gid=", "x-initrd.mount", "X-mount.mkdir=0700",
              "_netdev", "nofail", "comment=a", "defaults", ""});
  EXPECT_THAT(
      options.data,
      ElementsAre(FilesystemParameter{"mode", "755", true}, FilesystemParameter{"size", "65536k", true},
                  FilesystemParameter{"newinstance", "", false}, FilesystemParameter{"gid", "", true}));
  EXPECT_EQ(*data_text(options.data), "mode=755,size=65536k,newinstance,gid=");
}

// An option of one value must not become two on its way to the kernel.
TEST(MountOptions, ACommaStaysInItsValue) {
  const MountOptions options =
      parsed({R"(context="system_u:object_r:container_file_t:s0:c1,c2")", "size=1,suid"});
  EXPECT_EQ(options.data[0].value, "system_u:object_r:container_file_t:s0:c1,c2");
  EXPECT_EQ(options.data[1].value, "1,suid");
  EXPECT_EQ(options.attributes, AttributeChange());
  EXPECT_EQ(*data_text(std::span(options.data).first(1)),
            R"(context="system_u:object_r:container_file_t:s0:c1,c2")");
  for (const char* option : {"size=1,suid", "a,b=1", "a=1\"", "\"a", "context=a\",suid"}) {
    const auto text = data_text(parsed({option}).data);
    ASSERT_FALSE(text) << *text;
    EXPECT_EQ(
        text.error().message,
        fmt::format("the mount option \"{}\" has a comma or a quote, which mount(2) would misread", option));
  }
}

TEST(MountOptions, ThereAreBounds) {
  EXPECT_EQ(refusal(List(kMaxMountOptions + 1, "ro")), "513 options, and at most 512 are read");
  EXPECT_THAT(data_text(parsed({"a=" + std::string(4094, 'x')}).data).error().message,
              HasSubstr("take 4096 bytes, and the kernel takes 4095"));
  EXPECT_THAT(refusal({"copy-symlink", "src-nofollow"}), HasSubstr("does not go with"));
}

// config.md has the table; every name in it has to be known.
TEST(MountOptions, EveryOptionOfTheSpecificationIsKnown) {
  const std::vector<std::string_view> names = mount_option_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string_view name : {"async",
                                      "atime",
                                      "bind",
                                      "defaults",
                                      "dev",
                                      "diratime",
                                      "dirsync",
                                      "exec",
                                      "iversion",
                                      "lazytime",
                                      "loud",
                                      "mand",
                                      "noatime",
                                      "nodev",
                                      "nodiratime",
                                      "noexec",
                                      "noiversion",
                                      "nolazytime",
                                      "nomand",
                                      "norelatime",
                                      "nostrictatime",
                                      "nosuid",
                                      "nosymfollow",
                                      "private",
                                      "ratime",
                                      "rbind",
                                      "rdev",
                                      "rdiratime",
                                      "relatime",
                                      "remount",
                                      "rexec",
                                      "rnoatime",
                                      "rnodev",
                                      "rnodiratime",
                                      "rnoexec",
                                      "rnorelatime",
                                      "rnostrictatime",
                                      "rnosuid",
                                      "rnosymfollow",
                                      "ro",
                                      "rprivate",
                                      "rrelatime",
                                      "rro",
                                      "rrw",
                                      "rshared",
                                      "rslave",
                                      "rstrictatime",
                                      "rsuid",
                                      "rsymfollow",
                                      "runbindable",
                                      "rw",
                                      "shared",
                                      "silent",
                                      "slave",
                                      "strictatime",
                                      "suid",
                                      "symfollow",
                                      "sync",
                                      "tmpcopyup",
                                      "unbindable",
                                      "idmap",
                                      "ridmap"}) {
    EXPECT_THAT(names, testing::Contains(name));
    EXPECT_THAT(parsed({std::string(name)}).data, IsEmpty()) << name;
  }
}

}  // namespace
}  // namespace berth::bundle
