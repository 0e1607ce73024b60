// Bind mounts that map IDs, as statx shows them on both sides.
#include "runtime/mapped_binds.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

namespace berth::runtime {
namespace {

using testing::HasSubstr;

class MappedBinds : public testing::Test {
 protected:
  // A mount namespace of the test's own; what is mounted in it goes with the process.
  void SetUp() override {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mkdir((path() + "/below").c_str(), 0755), 0);
    container_ = sys::make_user_namespace("0 1048576 65536\n", "0 1048576 65536\n").value();
    make("root", 0, 0);
    make("web", 33, 34);
  }
  void TearDown() override { ::umount2((path() + "/below").c_str(), MNT_DETACH); }

  [[nodiscard]] const std::string& path() const { return scratch_.path(); }

  void make(const std::string& name, uid_t uid, gid_t gid) {
    const auto fd = sys::open_at(AT_FDCWD, path() + "/" + name, O_CREAT | O_WRONLY, 0644).value();
    ASSERT_EQ(::fchown(fd.get(), uid, gid), 0);
  }

  // The mapped copy, or the error's text.
  Result<sys::UniqueFd> mapped(MountPlan plan) {
    plan.map_ids = true;
    BindMapper mapper(container_.get());
    const sys::UniqueFd source = TRY(sys::open_at(AT_FDCWD, path(), O_PATH));
    sys::UniqueFd clone = TRY(sys::clone_tree(source.get(), "", plan.recursive));
    TRY(mapper.map(plan, clone.get(), source.get()));
    return clone;
  }

  static std::string owner(int dirfd, const std::string& name) {
    struct statx found{};
    if (::statx(dirfd, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_UID | STATX_GID, &found) != 0) return "none";
    return fmt::format("{}:{}", found.stx_uid, found.stx_gid);
  }
  [[nodiscard]] std::string on_disk(const std::string& name) const {
    return owner(AT_FDCWD, path() + "/" + name);
  }

  const test::Scratch scratch_;
  sys::UniqueFd container_;
};

TEST_F(MappedBinds, TheContainersMapShiftsWhatIsOnDisk) {
  const sys::UniqueFd mount = mapped({}).value();
  EXPECT_EQ(owner(mount.get(), "root"), "1048576:1048576");
  EXPECT_EQ(owner(mount.get(), "web"), "1048609:1048610");
  EXPECT_EQ(on_disk("web"), "33:34") << "and nothing is changed there";
}

TEST_F(MappedBinds, WhatIsCreatedBearsTheContainersId) {
  const sys::UniqueFd mount = mapped({}).value();
  const auto as_web = sys::ScopedFsIds::set(HostUid(1048609), HostGid(1048609)).value();
  ASSERT_TRUE(sys::open_at(mount.get(), "new", O_CREAT | O_WRONLY, 0644));
  EXPECT_EQ(owner(mount.get(), "new"), "1048609:1048609");
  EXPECT_EQ(on_disk("new"), "33:33");
}

TEST_F(MappedBinds, AMapOfItsOwnLetsOneUserCreateAndNobodyElse) {
  ASSERT_EQ(::chown(path().c_str(), 1000, 1000), 0);
  const sys::UniqueFd mount =
      mapped({.uid_map = {{1000, 1048609, 1}}, .gid_map = {{1000, 1048609, 1}}}).value();
  EXPECT_EQ(owner(mount.get(), "web"), "65534:65534");
  {
    const auto as_web = sys::ScopedFsIds::set(HostUid(1048609), HostGid(1048609)).value();
    ASSERT_TRUE(sys::open_at(mount.get(), "new", O_CREAT | O_WRONLY, 0644));
  }
  EXPECT_EQ(on_disk("new"), "1000:1000");
  const auto as_root = sys::ScopedFsIds::set(HostUid(1048576), HostGid(1048576)).value();
  const auto refused = sys::open_at(mount.get(), "other", O_CREAT | O_WRONLY, 0644);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().err, EOVERFLOW);
  EXPECT_EQ(::fchownat(mount.get(), "new", 1048576, 1048576, 0), -1);
  EXPECT_EQ(errno, EOVERFLOW);
}

TEST_F(MappedBinds, ATreeIsMappedWithAllThatIsMountedBelow) {
  ASSERT_EQ(::mount("tmpfs", (path() + "/below").c_str(), "tmpfs", 0, nullptr), 0);
  make("below/file", 5, 6);
  const sys::UniqueFd mount = mapped({.recursive = true}).value();
  EXPECT_EQ(owner(mount.get(), "below/file"), "1048581:1048582");
}

TEST_F(MappedBinds, OrNotAtAllAndTheReasonIsNamed) {
  ASSERT_EQ(::mount("proc", (path() + "/below").c_str(), "proc", 0, nullptr), 0);
  const auto refused = mapped({.recursive = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().err, EINVAL);
  EXPECT_THAT(refused.error().message, HasSubstr(path() + "/below (proc) can't map IDs"));
  EXPECT_FALSE(refused.error().hint.empty());
  EXPECT_TRUE(mapped({.recursive = false})) << "without what is below it can be";
}

TEST_F(MappedBinds, WhatIsMappedAlreadyIsNotMappedAgain) {
  const std::string below = path() + "/below";
  const sys::UniqueFd first = sys::clone_tree(AT_FDCWD, below, false).value();
  ASSERT_TRUE(sys::set_id_mapping(first.get(), container_.get(), false));
  ASSERT_TRUE(sys::attach(first.get(), AT_FDCWD, below));
  const auto refused = mapped({.recursive = true});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().err, EPERM);
  EXPECT_THAT(refused.error().message, HasSubstr(below));
  EXPECT_THAT(refused.error().message, HasSubstr("mapped already"));
}

TEST_F(MappedBinds, AMapThatTheKernelDoesNotTakeIsAnError) {
  EXPECT_FALSE(mapped({.uid_map = {{0, 1, 0}}, .gid_map = {{0, 1, 1}}}));
}

}  // namespace
}  // namespace berth::runtime
