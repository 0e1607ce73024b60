// Trees that are copied with their IDs shifted, and back again; and what a translated container writes,
// beside what a container with mapped IDs writes.
#include "engine/translation/translate.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "engine/translation/translate_tree.h"
#include "runtime/rootfs.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

namespace berth::engine {
namespace {

constexpr uint32_t kBase = 1000 * kBankSize;
const std::string kCapability("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
// user 33 and group 44 beside the usual entries
const std::string kAcl(
    "\2\0\0\0"
    "\1\0\7\0\xFF\xFF\xFF\xFF"
    "\2\0\6\0\x21\0\0\0"
    "\4\0\4\0\xFF\xFF\xFF\xFF"
    "\x08\0\4\0\x2C\0\0\0"
    "\x10\0\7\0\xFF\xFF\xFF\xFF"
    "\x20\0\0\0\xFF\xFF\xFF\xFF",
    52);
const Interrupted kNever = [] { return false; };

idmap::IdMap bank_map() {
  return idmap::IdMap::from_extents({{0, kBase, kBankSize}}).value();
}
idmap::Shift bank_shift() {
  return {idmap::IdShift(bank_map()), idmap::IdShift(bank_map())};
}

class Translate : public testing::Test {
 protected:
  [[nodiscard]] std::string at(const std::string& path) const { return scratch_.path() + "/" + path; }
  sys::UniqueFd dir(const std::string& path, mode_t mode = 0755) const {
    EXPECT_TRUE(sys::ensure_dir_at(AT_FDCWD, at(path), mode));
    return sys::open_at(AT_FDCWD, at(path), O_RDONLY | O_DIRECTORY).value();
  }
  void file(const std::string& path, std::string_view text, uint32_t uid, uint32_t gid, mode_t mode) const {
    std::ofstream(at(path)) << text;
    ASSERT_EQ(::chown(at(path).c_str(), uid, gid), 0);
    ASSERT_EQ(::chmod(at(path).c_str(), mode), 0);
  }
  void attribute(const std::string& path, const char* name, const std::string& value) const {
    ASSERT_EQ(::lsetxattr(at(path).c_str(), name, value.data(), value.size(), 0), 0) << path << " " << name;
  }
  [[nodiscard]] std::string attribute(const std::string& path, const char* name) const {
    std::string value(1024, '\0');
    const ssize_t size = ::lgetxattr(at(path).c_str(), name, value.data(), value.size());
    return size < 0 ? "none" : value.substr(0, static_cast<size_t>(size));
  }
  [[nodiscard]] struct stat status(const std::string& path) const {
    struct stat st{};
    EXPECT_EQ(::lstat(at(path).c_str(), &st), 0) << path;
    return st;
  }
  // Everything that tar can tell of a tree, as bytes.
  [[nodiscard]] std::string tar_of(const std::string& path, const std::string& more = "") const {
    const std::string command = fmt::format(
        "tar -C {} --format=posix --pax-option=delete=atime,delete=ctime --sort=name --numeric-owner "
        "--xattrs "
        "--xattrs-include='*' --xattrs-exclude='trusted.overlay.origin' "
        "--xattrs-exclude='trusted.overlay.impure' "
        "--xattrs-exclude='trusted.overlay.uuid' --acls {} -cf {}/tar . 2>{}/tar.said",
        at(path), more, scratch_.path(), scratch_.path());
    EXPECT_EQ(::system(command.c_str()), 0);
    return sys::read_file_at(AT_FDCWD, scratch_.path() + "/tar", size_t{64} << 20).value();
  }
  void old(const std::string& path) const {
    const std::array<timespec, 2> times{{{1234567890, 987654321}, {1000000000, 123456789}}};
    ASSERT_EQ(::utimensat(AT_FDCWD, at(path).c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
  }

  // Every kind of file.
  void make_tree() const {
    dir("tree", 0751);
    dir("tree/sub");
    dir("tree/sub/deep");
    dir("tree/many");
    file("tree/tool", "tool", 0, 5, 0755);
    attribute("tree/tool", "security.capability", kCapability);
    attribute("tree/tool", "user.note", std::string("raw\0\xFF", 5));
    file("tree/sub/setuid", "s", 33, 44, 06755);
    file("tree/sub/acl", "a", 33, 44, 0640);
    attribute("tree/sub/acl", "system.posix_acl_access", kAcl);
    attribute("tree/sub", "system.posix_acl_default", kAcl);
    attribute("tree/sub", "trusted.overlay.opaque", "y");
    file("tree/far", "f", 70000, 80000, 0600);
    file("tree/trap", "t", kBase, kBase + 3, 04755);
    ASSERT_EQ(::link(at("tree/far").c_str(), at("tree/sub/deep/far too").c_str()), 0);
    ASSERT_EQ(::symlink("/etc/passwd", at("tree/link").c_str()), 0);
    ASSERT_EQ(::lchown(at("tree/link").c_str(), 7, 8), 0);
    ASSERT_EQ(::mknod(at("tree/whiteout").c_str(), S_IFCHR, 0), 0);
    ASSERT_EQ(::mknod(at("tree/disk").c_str(), S_IFBLK | 0660, makedev(8, 1)), 0);
    ASSERT_EQ(::mkfifo(at("tree/fifo").c_str(), 0622), 0);
    std::ofstream sparse(at("tree/sparse"));
    sparse.seekp(10'000'000);
    sparse << "island";
    sparse.close();
    ASSERT_EQ(::truncate(at("tree/sparse").c_str(), 50'000'000), 0);
    std::ofstream(at("tree/large")) << std::string(3'000'000, 'l');
    for (int i = 0; i < 700; ++i) file(fmt::format("tree/many/{}", i), std::to_string(i), 1, 1, 0644);
    for (const char* path : {"tree/tool", "tree/link", "tree/fifo", "tree/far", "tree/many", "tree/sub/deep",
                             "tree/sub", "tree"})
      old(path);
  }

  const test::Scratch scratch_;
};

TEST_F(Translate, ShiftsOwnersCapabilitiesAndAclsAndNothingElse) {
  make_tree();
  const auto copied = copy_shifted(dir("tree").get(), dir("copy", 0700).get(), bank_shift(), kNever);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->files, 715);
  EXPECT_EQ(status("copy/sub/setuid").st_uid, kBase + 33);
  EXPECT_EQ(status("copy/sub/setuid").st_gid, kBase + 44);
  EXPECT_EQ(status("copy/sub/setuid").st_mode, S_IFREG | 06755U);
  EXPECT_EQ(status("copy/link").st_uid, kBase + 7);
  EXPECT_EQ(status("copy/far").st_uid, 70000U);
  EXPECT_EQ(status("copy/trap").st_uid, 0U) << "of no use to the container, which has no such ID";
  EXPECT_EQ(status("copy/far").st_ino, status("copy/sub/deep/far too").st_ino);
  EXPECT_EQ(status("copy/disk").st_rdev, makedev(8, 1));
  EXPECT_EQ(status("copy/sparse").st_blocks, status("tree/sparse").st_blocks);
  EXPECT_EQ(attribute("copy/tool", "security.capability").substr(20), std::string("\0\0\xE8\3", 4));
  EXPECT_EQ(attribute("copy/sub", "trusted.overlay.opaque"), "y");
  for (const char* path : {"tool", "link", "fifo", "far", "many", "sub/deep", "sub", ""}) {
    const struct stat was = status(std::string("tree/") + path);
    const struct stat is = status(std::string("copy/") + path);
    EXPECT_EQ(was.st_mtim.tv_sec, is.st_mtim.tv_sec) << path;
    EXPECT_EQ(was.st_mtim.tv_nsec, is.st_mtim.tv_nsec) << path;
    EXPECT_EQ(was.st_mode, is.st_mode) << path;
  }
}

TEST_F(Translate, ComesBackByteForByte) {
  make_tree();
  const std::string before = tar_of("tree");
  ASSERT_TRUE(copy_shifted(dir("tree").get(), dir("copy", 0700).get(), bank_shift(), kNever));
  EXPECT_NE(tar_of("copy"), before);
  ASSERT_TRUE(untranslate(dir("copy").get(), dir("back", 0700).get(), bank_map(), bank_map(), kNever));
  EXPECT_EQ(tar_of("back"), before);
}

TEST_F(Translate, StopsWhenItIsInterrupted) {
  make_tree();
  std::atomic<int> asked = 0;
  const auto copied =
      copy_shifted(dir("tree").get(), dir("copy", 0700).get(), bank_shift(), [&] { return ++asked > 20; });
  ASSERT_FALSE(copied);
  EXPECT_THAT(copied.error().message, testing::HasSubstr("interrupted"));
}

TEST_F(Translate, CopiesTreesDeeperThanAPathMayBe) {
  sys::UniqueFd here = dir("tree");
  const std::string name(200, 'd');
  constexpr int kDepth = 100;
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_EQ(::mkdirat(here.get(), name.c_str(), 0755), 0);
    here = sys::open_at(here.get(), name, O_RDONLY | O_DIRECTORY).value();
  }
  const auto copied = copy_shifted(dir("tree").get(), dir("copy", 0700).get(), bank_shift(), kNever);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->files, kDepth);
}

// What root of a container does, in a process with its user namespace, below the mount `root`.
int change_files(int root) {
  const auto write = [&](const char* path, std::string_view text, mode_t mode) {
    const int fd = ::openat(root, path, O_WRONLY | O_CREAT, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) ::close(fd);
    return written && ::fchmodat(root, path, mode, 0) == 0;
  };
  const auto through = [&](const char* path) { return fmt::format("/proc/self/fd/{}/{}", root, path); };
  if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return 1;
  ::umask(022);
  if (!write("new", "new", 0755) || !write("sub/more", "more", 0644)) return 2;
  if (::setxattr(through("new").c_str(), "security.capability", kCapability.data(), kCapability.size(), 0) !=
      0)
    return 3;
  if (::setxattr(through("sub/more").c_str(), "system.posix_acl_access", kAcl.data(), kAcl.size(), 0) != 0)
    return 4;
  if (::fchownat(root, "web", 1000, 1001, 0) != 0) return 5;
  if (!write("web", "changed", 04755)) return 6;
  if (::unlinkat(root, "gone", 0) != 0) return 7;
  if (::linkat(root, "new", root, "new too", 0) != 0) return 8;
  if (::mkdirat(root, "fresh", 02770) != 0 || ::symlinkat("new", root, "fresh/link") != 0) return 9;
  if (::fchownat(root, "fresh/link", 9, 9, AT_SYMLINK_NOFOLLOW) != 0) return 10;
  if (::unlinkat(root, "old/file", 0) != 0 || ::unlinkat(root, "old", AT_REMOVEDIR) != 0 ||
      ::mkdirat(root, "old", 0700) != 0)
    return 11;  // hides what was below: an opaque directory
  return 0;
}

// A container's own layer after change_files(): with IDs mapped at mount time, or kept as the host's.
class SavedUpper : public Translate {
 protected:
  void run(const std::string& name, bool translated) {
    const auto container = dir(name, 0700);
    dir(name + "/low");
    dir(name + "/low/sub");
    dir(name + "/low/old");
    file(name + "/low/web", "web", 33, 44, 0640);
    file(name + "/low/gone", "gone", 0, 0, 0644);
    file(name + "/low/old/file", "file", 0, 0, 0644);
    dir(name + "/own", 0700);
    dir(name + "/own/upper");
    dir(name + "/own/work", 0700);
    std::string layer = "/low";
    if (translated) {
      ASSERT_TRUE(
          copy_shifted(dir(name + "/low").get(), dir(name + "/copy", 0700).get(), bank_shift(), kNever));
      layer = "/copy";
      const store::ImageRecord image;
      ASSERT_TRUE(shift_upper(dir(name + "/own").get(), image, {bank_map(), bank_map()}));
    }
    const sys::UniqueFd users = sys::make_user_namespace(bank_map().text(), bank_map().text()).value();
    const runtime::RootfsPlan plan{.layers = {at(name + layer)},
                                   .upper = at(name + "/own/upper"),
                                   .work = at(name + "/own/work"),
                                   .translated = translated};
    std::vector<sys::UniqueFd> sources;
    const std::string scratch = at("scratch");
    const auto root = runtime::mount_rootfs({.plan = plan,
                                             .user_namespace = users.get(),
                                             .root_ids = {HostUid(kBase), HostGid(kBase)},
                                             .scratch = scratch},
                                            sources);
    ASSERT_TRUE(root) << root.error().message;
    const sys::Child child = sys::fork_into(0).value();
    if (child.pid == 0) ::_exit(::setns(users.get(), CLONE_NEWUSER) != 0 ? 99 : change_files(root->get()));
    const siginfo_t ended = sys::wait_for(child.pidfd.get()).value();
    ASSERT_EQ(ended.si_status, 0) << "the step that failed";
  }
};

TEST_F(SavedUpper, OfATranslatedContainerIsThatOfAnyOther) {
  run("mapped", false);
  run("kept", true);
  EXPECT_EQ(status("mapped/own/upper/web").st_uid, 1000U);
  EXPECT_EQ(status("kept/own/upper/web").st_uid, kBase + 1000);
  ASSERT_TRUE(
      untranslate(dir("kept/own/upper").get(), dir("saved", 0700).get(), bank_map(), bank_map(), kNever));
  const std::string mapped = tar_of("mapped/own/upper", "--mtime=@0");
  EXPECT_EQ(tar_of("saved", "--mtime=@0"), mapped);
  EXPECT_NE(tar_of("kept/own/upper", "--mtime=@0"), mapped);
  EXPECT_EQ(attribute("saved/new", "security.capability"), kCapability);
  EXPECT_EQ(attribute("saved/sub/more", "system.posix_acl_access").size(), kAcl.size());
}

}  // namespace
}  // namespace berth::engine
