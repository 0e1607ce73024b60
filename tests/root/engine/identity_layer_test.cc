// The identity layer on disk, and what a process in an overlay with it sees.
#include "engine/identity/identity_layer.h"

#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../support/scratch_store.h"
#include "base/accounts.h"
#include "engine/identity/identity_uses.h"
#include "sys/file.h"

namespace berth::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kPasswd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false";
constexpr std::string_view kGroup = "root:x:0:\nwww-data:x:33:\n";
constexpr const char* kImage = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

class IdentityLayer : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::mkdir(rootfs("").c_str(), 0755), 0); }

  [[nodiscard]] std::string rootfs(const std::string& path) const {
    return scratch_.path() + "/rootfs" + path;
  }
  [[nodiscard]] std::string stored(const std::string& path) const {
    return scratch_.path() + "/root/" + path;
  }
  void dir(const std::string& path, mode_t mode) {
    ASSERT_EQ(::mkdir(rootfs(path).c_str(), mode), 0) << path;
    ASSERT_EQ(::chmod(rootfs(path).c_str(), mode), 0);
  }
  void file(const std::string& path, std::string_view text) { std::ofstream(rootfs(path)) << text; }
  void link(const std::string& path, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), rootfs(path).c_str()), 0);
  }
  void usual_rootfs() {
    dir("/etc", 0755);
    dir("/tmp", 01777);
    file("/etc/passwd", kPasswd);
    file("/etc/group", kGroup);
  }

  Result<Identity> identity(std::string_view spec, AccountFiles files = {kPasswd, kGroup},
                            std::string_view workdir = "/") {
    const std::vector<Bank> banks{Bank(16)};
    const auto map = idmap::IdMap::from_banks(banks).value();
    const ResolvedUser user = TRY(resolve_user({spec, "--user", {}}, files, map, map));
    return identity_for(*store_, {kImage, files, user, workdir}, [&]() -> Result<store::LayerStack> {
      ++made_;
      std::vector<sys::UniqueFd> layers;
      layers.push_back(TRY(sys::open_at(AT_FDCWD, rootfs(""), O_RDONLY | O_DIRECTORY)));
      return store::LayerStack(std::move(layers));
    });
  }
  Identity made(std::string_view spec, AccountFiles files = {kPasswd, kGroup},
                std::string_view workdir = "/") {
    auto result = identity(spec, files, workdir);
    EXPECT_TRUE(result) << result.error().message;
    return result.value_or(Identity{});
  }
  // As a container of this ID.
  Identity used_by(const std::string& container, std::string_view spec) {
    const std::vector<Bank> banks{Bank(16)};
    const auto map = idmap::IdMap::from_banks(banks).value();
    const AccountFiles files{kPasswd, kGroup};
    const ResolvedUser user = resolve_user({spec, "--user", {}}, files, map, map).value();
    return identity_for(*store_, {kImage, files, user, "/", {}, container},
                        [&]() -> Result<store::LayerStack> {
                          std::vector<sys::UniqueFd> layers;
                          layers.push_back(TRY(sys::open_at(AT_FDCWD, rootfs(""), O_RDONLY | O_DIRECTORY)));
                          return store::LayerStack(std::move(layers));
                        })
        .value();
  }
  std::string read(const std::string& path) {
    return sys::read_file_at(AT_FDCWD, path, 1 << 22).value_or("unreadable");
  }
  std::vector<std::string> names_in(const std::string& path) {
    const auto fd = sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get()).value();
  }

  const test::Scratch scratch_;
  std::optional<store::Store> store_{test::open_store(scratch_).value()};
  int made_ = 0;
};

TEST_F(IdentityLayer, RootOfAnOrdinaryImageNeedsNothing) {
  const Identity root = made("");
  EXPECT_EQ(root.layer, "");
  EXPECT_EQ(root.home, "/root");
  EXPECT_EQ(made_, 0);
}

TEST_F(IdentityLayer, AnUnknownUserGetsItsLineAndNothingElseChanges) {
  usual_rootfs();
  ASSERT_EQ(::chown(rootfs("/etc").c_str(), 7, 8), 0);
  ASSERT_EQ(::chmod(rootfs("/etc").c_str(), 01775), 0);
  ASSERT_EQ(::chown(rootfs("/etc/passwd").c_str(), 9, 10), 0);
  ASSERT_EQ(::chmod(rootfs("/etc/passwd").c_str(), 04640), 0);
  ASSERT_EQ(::setxattr(rootfs("/etc").c_str(), "user.colour", "red", 3, 0), 0);
  ASSERT_EQ(::setxattr(rootfs("/etc/passwd").c_str(), "trusted.seen", "yes", 3, 0), 0);
  ASSERT_EQ(::chmod(rootfs("").c_str(), 0711), 0);
  const Identity identity = made("10000");
  EXPECT_EQ(identity.home, "/tmp");
  EXPECT_THAT(identity.layer, StartsWith("identities/00112233"));
  const std::string layer = stored(identity.layer);
  EXPECT_EQ(read(layer + "/etc/passwd"),
            std::string(kPasswd) + "\n10000:x:10000:0:Container user:/tmp:/bin/sh\n");
  EXPECT_THAT(names_in(layer), ElementsAre("etc"));
  EXPECT_THAT(names_in(layer + "/etc"), ElementsAre("passwd")) << "group 0 has a name in the image";
  struct stat st{};
  ASSERT_EQ(::stat((layer + "/etc").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 7U);
  EXPECT_EQ(st.st_gid, 8U);
  EXPECT_EQ(st.st_mode & 07777, 01775U);
  struct stat original{};
  ASSERT_EQ(::stat(rootfs("/etc").c_str(), &original), 0);
  EXPECT_EQ(st.st_mtim.tv_sec, original.st_mtim.tv_sec);
  EXPECT_EQ(st.st_mtim.tv_nsec, original.st_mtim.tv_nsec);
  ASSERT_EQ(::stat((layer + "/etc/passwd").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 9U);
  EXPECT_EQ(st.st_gid, 10U);
  EXPECT_EQ(st.st_mode & 07777, 0640U) << "no setuid";
  ASSERT_EQ(::stat(layer.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0711U) << "the layer's root is the container's /";
  std::array<char, 8> value{};
  EXPECT_EQ(::getxattr((layer + "/etc").c_str(), "user.colour", value.data(), value.size()), 3);
  EXPECT_EQ(::getxattr((layer + "/etc/passwd").c_str(), "trusted.seen", value.data(), value.size()), 3);
  EXPECT_EQ(read(rootfs("/etc/passwd")), kPasswd) << "the image is not written to";
  EXPECT_THAT(names_in(stored("tmp")), IsEmpty());
}

TEST_F(IdentityLayer, TheSecondStartOnlyReads) {
  usual_rootfs();
  const Identity first = made("10000:50");
  const Identity second = made("10000:50");
  EXPECT_EQ(made_, 1);
  EXPECT_EQ(second.layer, first.layer);
  EXPECT_EQ(second.home, first.home);
  EXPECT_EQ(second.added_passwd, first.added_passwd);
  EXPECT_THAT(second.added_group, ElementsAre("50:x:50:\n"));
  EXPECT_NE(made("10001:50").layer, first.layer) << "another user, another layer";
  EXPECT_NE(made("10000:51").layer, first.layer);
  EXPECT_NE(made("10000:50", {kPasswd, kGroup}, "/tmp").layer, first.layer);
}

TEST_F(IdentityLayer, AKnownUserOnlyHasItsHomeLookedAt) {
  usual_rootfs();
  EXPECT_EQ(made("www-data").layer, "");
  EXPECT_EQ(made("www-data").home, "/tmp");
  EXPECT_EQ(made_, 1) << "and that is kept";
}

TEST_F(IdentityLayer, LinksAreFollowedInsideTheImage) {
  dir("/usr", 0755);
  dir("/usr/etc", 0750);
  link("/etc", "/../../usr/etc");
  link("/usr/etc/passwd", "../share/passwd");
  dir("/usr/share", 0755);
  file("/usr/share/passwd", kPasswd);
  file("/usr/etc/group", kGroup);
  const std::string layer = stored(made("10000:50").layer);
  EXPECT_THAT(read(layer + "/usr/share/passwd"), HasSubstr("10000:x:10000:50:"));
  EXPECT_THAT(read(layer + "/usr/etc/group"), HasSubstr("50:x:50:"));
  EXPECT_THAT(names_in(layer), ElementsAre("usr"));
}

TEST_F(IdentityLayer, ADanglingLinkIsFilledWhereItLeads) {
  dir("/etc", 0755);
  link("/etc/passwd", "/run/data/passwd");
  const std::string layer = stored(made("10000", {std::nullopt, kGroup}).layer);
  EXPECT_EQ(read(layer + "/run/data/passwd"),
            "root:x:0:0:root:/root:/bin/sh\n10000:x:10000:0:Container user:/tmp:/bin/sh\n");
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, "/run/data/passwd")) << "not the host's";
}

TEST_F(IdentityLayer, AnEmptyImageGetsBothFiles) {
  const Identity identity = made("10000", {std::nullopt, std::nullopt});
  const std::string layer = stored(identity.layer);
  EXPECT_EQ(read(layer + "/etc/group"), "root:x:0:\n");
  EXPECT_THAT(read(layer + "/etc/passwd"), HasSubstr("root:x:0:0:"));
  struct stat st{};
  ASSERT_EQ(::stat((layer + "/etc").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755U);
  ASSERT_EQ(::stat((layer + "/etc/group").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0644U);
}

// containers/storage CVE-2024-9676: what stands in the place of the files does neither hang nor lead out.
TEST_F(IdentityLayer, WhatIsNoFileIsLeftAloneWithAWarning) {
  dir("/etc", 0755);
  const std::string passwd = rootfs("/etc/passwd");
  const AccountFiles files{std::nullopt, kGroup};
  int uid = 20000;
  const auto refused = [&] {
    const Identity identity = made(std::to_string(++uid), files);
    EXPECT_EQ(identity.layer, "");
    EXPECT_EQ(identity.home, "/tmp");
    EXPECT_THAT(identity.added_passwd, IsEmpty());
    EXPECT_EQ(identity.warnings.size(), 1U);
    EXPECT_EQ(made(std::to_string(uid), files).warnings, identity.warnings) << "at every start";
    return identity.warnings.empty() ? "" : identity.warnings[0];
  };
  ASSERT_EQ(::mkfifo(passwd.c_str(), 0666), 0);
  EXPECT_THAT(refused(), HasSubstr("not a regular file"));
  ASSERT_EQ(::unlink(passwd.c_str()), 0);
  ASSERT_EQ(::mkdir(passwd.c_str(), 0755), 0);
  EXPECT_THAT(refused(), HasSubstr("not a regular file"));
  ASSERT_EQ(::rmdir(passwd.c_str()), 0);
  ASSERT_EQ(::mknod(passwd.c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  EXPECT_THAT(refused(), HasSubstr("not a regular file"));
  ASSERT_EQ(::unlink(passwd.c_str()), 0);
  link("/etc/passwd", "passwd");
  EXPECT_THAT(refused(), HasSubstr("more than 40 links"));
  ASSERT_EQ(::unlink(passwd.c_str()), 0);
  link("/etc/passwd", "/");
  EXPECT_THAT(refused(), HasSubstr("root directory"));
  ASSERT_EQ(::unlink(passwd.c_str()), 0);
  link("/etc/passwd", "/proc/self/root/etc/passwd");
  const Identity inside = made("30000", files);
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, stored(inside.layer) + "/proc/self/root/etc/passwd"))
      << "a plain directory";
  ASSERT_EQ(::unlink(passwd.c_str()), 0);
  file("/etc/passwd", "");
  ASSERT_EQ(::truncate(passwd.c_str(), off_t{10} << 30), 0);
  EXPECT_THAT(refused(), HasSubstr("more than 1048576 bytes"));
}

TEST_F(IdentityLayer, OneFileForBothIsExtendedOnce) {
  dir("/etc", 0755);
  file("/etc/passwd", kPasswd);
  link("/etc/group", "passwd");
  const Identity identity = made("10000:77", {kPasswd, kPasswd});
  EXPECT_THAT(identity.added_group, IsEmpty());
  EXPECT_EQ(identity.warnings.size(), 1U);
}

TEST_F(IdentityLayer, ManyStartsAtOnceMakeOne) {
  usual_rootfs();
  std::vector<pid_t> children;
  for (int i = 0; i < 12; ++i) {
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      const auto result = identity("10000");
      ::_exit(result && read(stored(result->layer) + "/etc/passwd").ends_with("/bin/sh\n") ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(names_in(stored("identities")).size(), 1U);
  EXPECT_THAT(names_in(stored("tmp")), IsEmpty());
}

TEST_F(IdentityLayer, TheyGoWithTheImage) {
  usual_rootfs();
  made("10000");
  made("10001");
  ASSERT_EQ(::mkdir(stored("identities/other-x").c_str(), 0700), 0);
  ASSERT_TRUE(remove_identities(*store_, kImage));
  EXPECT_THAT(names_in(stored("identities")), ElementsAre("other-x"));
}

// Runs a command of busybox in an overlay of the layer on the image as the given user, in a mount namespace
// of its own.
std::string run_in_overlay(const std::string& lower, const std::string& target, uint32_t uid, uint32_t gid,
                           const std::string& command) {
  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return "no pipe";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(output[1], 1);
    ::dup2(output[1], 2);
    const gid_t groups = gid;
    const bool ready = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("overlay", target.c_str(), "overlay", MS_RDONLY, lower.c_str()) == 0 &&
                       ::chroot(target.c_str()) == 0 && ::chdir("/") == 0 && ::setgroups(1, &groups) == 0 &&
                       ::setgid(gid) == 0 && ::setuid(uid) == 0;
    if (!ready) ::_exit(99);
    ::execl("/bin/busybox", "sh", "-c", command.c_str(), nullptr);
    ::_exit(98);
  }
  ::close(output[1]);
  std::string text = sys::read_all(output[0], 65536).value_or("unreadable");
  ::close(output[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return text + (status == 0 ? "" : fmt::format("status {:x}", status));
}

TEST_F(IdentityLayer, TheProcessKnowsItself) {
  usual_rootfs();
  dir("/bin", 0755);
  ASSERT_TRUE(
      sys::write_all(sys::open_at(AT_FDCWD, rootfs("/bin/busybox"), O_WRONLY | O_CREAT, 0755).value().get(),
                     sys::read_file_at(AT_FDCWD, "/bin/busybox", 16 << 20).value()));
  const Identity identity = made("10000");
  const std::string target = scratch_.path() + "/merged";
  ASSERT_EQ(::mkdir(target.c_str(), 0755), 0);
  const std::string lower = "lowerdir=" + stored(identity.layer) + ":" + rootfs("");
  EXPECT_EQ(run_in_overlay(lower, target, 10000, 0, "busybox id; busybox whoami"),
            "uid=10000(10000) gid=0(root) groups=0(root)\n10000\n");
}

TEST_F(IdentityLayer, OfThoseThatNobodyUsesTheLatestAreKept) {
  usual_rootfs();
  const Identity used = used_by("aa", "9000");
  for (uint32_t uid = 0; uid < 40; ++uid) made(std::to_string(10000 + uid));
  EXPECT_EQ(names_in(stored("identities")).size(), kKeptIdentities + 1);
  EXPECT_THAT(read(stored(used.layer) + "/etc/passwd"), HasSubstr("9000:x:9000"));
  EXPECT_THAT(names_in(stored("tmp")), IsEmpty());
  made_ = 0;
  made("10039");
  EXPECT_EQ(made_, 0) << "the latest is there";
  // Its container ends, and with it the directory below the run root.
  ASSERT_TRUE(sys::remove_tree_at(store_->run_root(), "containers/aa"));
  for (uint32_t uid = 0; uid < 40; ++uid) made(std::to_string(20000 + uid));
  EXPECT_EQ(names_in(stored("identities")).size(), kKeptIdentities);
  EXPECT_EQ(read(stored(used.layer) + "/etc/passwd"), "unreadable");
  EXPECT_EQ(used_by("aa", "9000").layer, used.layer) << "it comes again";
}

TEST_F(IdentityLayer, NothingIsRemovedWhileAContainerIsBeingStarted) {
  usual_rootfs();
  {
    const IdentityUse starting = IdentityUse::begin(*store_).value();
    for (uint32_t uid = 0; uid < 20; ++uid) made(std::to_string(10000 + uid));
    EXPECT_EQ(names_in(stored("identities")).size(), 20U);
  }
  made("30000");
  EXPECT_EQ(names_in(stored("identities")).size(), kKeptIdentities);
}

TEST_F(IdentityLayer, AnImageDoesNotTakeAnothersIdentities) {
  usual_rootfs();
  for (int i = 0; i < 30; ++i)
    ASSERT_EQ(::mkdir(stored(fmt::format("identities/other-{}", i)).c_str(), 0700), 0);
  for (uint32_t uid = 0; uid < 20; ++uid) made(std::to_string(10000 + uid));
  EXPECT_EQ(names_in(stored("identities")).size(), 30 + kKeptIdentities);
}

}  // namespace
}  // namespace berth::engine
