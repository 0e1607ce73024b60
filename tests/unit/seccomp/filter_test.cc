// Compiled filters, loaded into a child and tried.
#include "seccomp/filter.h"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../support/scratch.h"
#include "oci/capability_names.h"
#include "sys/file.h"

namespace berth::seccomp {
namespace {

using testing::HasSubstr;

// Of what a container has by default, all that opens a further call.
constexpr uint64_t kPlain = oci::capability_bit(CAP_CHOWN) | oci::capability_bit(CAP_SYS_CHROOT);

class Seccomp : public testing::Test {
 protected:
  std::string filter(std::string_view profile = {}, uint64_t capabilities = kPlain) {
    const auto filter = filter_for(cache(), profile, capabilities);
    EXPECT_TRUE(filter) << filter.error().message;
    return filter ? filter->program : "";
  }
  std::vector<std::string> cached() {
    const auto dir = sys::open_at(AT_FDCWD, scratch_.path() + "/seccomp", O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(dir.get()).value();
  }
  [[nodiscard]] FilterCache cache() const { return {parent_.get(), "seccomp", scratch_.path() + "/seccomp"}; }
  const test::Scratch scratch_;
  const sys::UniqueFd parent_{sys::open_at(AT_FDCWD, scratch_.path(), O_RDONLY | O_DIRECTORY).value()};
};

enum class Abi { native, i386, x32 };
struct Call {
  Abi abi = Abi::native;
  long number = 0;
  long first = 0, second = 0, third = 0;
};

long raw(const Call& call) {
#if defined(__x86_64__)
  if (call.abi == Abi::i386) {
    long result = call.number;
    // The 32-bit entry, which a 64-bit program may use too.
    asm volatile("int $0x80" : "+a"(result) : "b"(call.first), "c"(call.second), "d"(call.third) : "memory");
    return static_cast<int>(result);
  }
  const long number = call.abi == Abi::x32 ? call.number | 0x40000000 : call.number;
#else
  const long number = call.number;
#endif
  const long result = ::syscall(number, call.first, call.second, call.third);
  return result < 0 ? -errno : result;
}

bool load(const std::string& program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size() / sizeof(sock_filter)),
                          reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()))};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

// The errno of a call in a child with the filter, 0 for success; -1: the child was killed.
int outcome(const std::string& program, const Call& call) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!program.empty() && !load(program)) ::_exit(254);
    const long result = raw(call);
    ::_exit(result < 0 ? static_cast<int>(-result) : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr long kNoSuchCall = 999;

TEST_F(Seccomp, TheDefaultAllowsAndRefusesAsItShould) {
  const std::string program = filter();
  EXPECT_EQ(outcome(program, {.number = SYS_getppid}), 0);
  EXPECT_EQ(outcome(program, {.number = SYS_ptrace, .first = 9999}),
            outcome("", {.number = SYS_ptrace, .first = 9999}));
  EXPECT_EQ(outcome(program, {.number = SYS_unshare}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_keyctl, .first = -1}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_mount}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_open_tree, .first = -1}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_io_uring_setup}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_clone3}), ENOSYS) << "C libraries fall back to clone on this";
  EXPECT_EQ(outcome(program, {.number = kNoSuchCall}), ENOSYS);
  EXPECT_EQ(outcome(program, {.number = 600}), ENOSYS);
}

TEST_F(Seccomp, ArgumentsAreLookedAt) {
  const std::string program = filter();
  EXPECT_EQ(outcome(program, {.number = SYS_personality, .first = 0xFFFFFFFF}), 0);
  EXPECT_EQ(outcome(program, {.number = SYS_personality, .first = 0x40000}), EPERM)
      << "no address randomisation";
  EXPECT_EQ(outcome(program, {.number = SYS_socket, .first = AF_VSOCK, .second = SOCK_STREAM}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_socket, .first = AF_UNIX, .second = SOCK_STREAM}), 0);
  EXPECT_EQ(outcome(program, {.number = SYS_clone, .first = CLONE_NEWUSER}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_clone, .first = CLONE_NEWNS | CLONE_VM}), EPERM);
  EXPECT_EQ(outcome(program, {.number = SYS_clone, .first = SIGCHLD}), 0);
}

TEST_F(Seccomp, CapabilitiesOpenTheirCalls) {
  const uint64_t admin = kPlain | oci::capability_bit(CAP_SYS_ADMIN);
  EXPECT_EQ(outcome(filter("", admin), {.number = SYS_unshare}), 0);
  EXPECT_EQ(outcome(filter("", admin), {.number = SYS_clone3}), EINVAL);
  EXPECT_EQ(outcome(filter("", admin), {.number = SYS_keyctl, .first = -1}), EPERM);
  EXPECT_EQ(outcome(filter("", 0), {.number = SYS_chroot}), EPERM);
  EXPECT_EQ(outcome(filter(), {.number = SYS_chroot}), EFAULT);
  const uint64_t trace = kPlain | oci::capability_bit(CAP_SYS_PTRACE);
  EXPECT_EQ(outcome(filter(), {.number = SYS_pidfd_getfd, .first = -1}), EPERM);
  EXPECT_EQ(outcome(filter("", trace), {.number = SYS_pidfd_getfd, .first = -1}), EBADF);
}

#if defined(__x86_64__)
// Numbers of i386.
constexpr long kGetppid32 = 64, kUnshare32 = 310, kClone32 = 120, kKeyctl32 = 288, kPersonality32 = 136,
               kClone3 = 435;

TEST_F(Seccomp, ThirtyTwoBitCallsAreJudgedToo) {
  const std::string program = filter();
  // A kernel without 32-bit emulation lets nobody in by that door.
  if (outcome("", {Abi::i386, kGetppid32}) != 0) return;
  EXPECT_EQ(outcome(program, {Abi::i386, kGetppid32}), 0);
  EXPECT_EQ(outcome("", {Abi::i386, kUnshare32}), 0);
  EXPECT_EQ(outcome(program, {Abi::i386, kUnshare32}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::i386, kClone32, CLONE_NEWUSER}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::i386, kKeyctl32, -1}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::i386, kPersonality32, 0x40000}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::i386, kPersonality32, -1}), 0);
  EXPECT_EQ(outcome(program, {Abi::i386, kClone3}), ENOSYS);
  EXPECT_EQ(outcome(program, {Abi::i386, kNoSuchCall}), ENOSYS);
}

TEST_F(Seccomp, X32CallsAreJudgedToo) {
  const std::string program = filter();
  // Whether the kernel has x32 or answers ENOSYS, the filter comes first.
  EXPECT_EQ(outcome(program, {Abi::x32, SYS_unshare}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::x32, SYS_mount}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::x32, SYS_clone, CLONE_NEWUSER}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::x32, SYS_getppid}), outcome("", {Abi::x32, SYS_getppid}));
  EXPECT_EQ(outcome(program, {Abi::x32, 528 /* kexec_load */}), EPERM);
  EXPECT_EQ(outcome(program, {Abi::x32, 511}), ENOSYS);
  EXPECT_EQ(outcome(program, {Abi::x32, kNoSuchCall}), ENOSYS);
}
#endif

TEST_F(Seccomp, AProfileOfOnesOwn) {
  const std::string program = filter(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["getppid", "no_such_call_anywhere"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42},
    {"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 43,
     "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 5, "op": "SCMP_CMP_EQ"}]}]})");
  EXPECT_EQ(outcome(program, {.number = SYS_getppid}), 42);
  EXPECT_EQ(outcome(program, {.number = SYS_keyctl}), -1);
  EXPECT_EQ(outcome(program, {.number = SYS_socket, .first = 1, .second = 5}), 43);
  EXPECT_EQ(outcome(program, {.number = SYS_socket, .first = 1, .second = 1}), 0);
  EXPECT_EQ(outcome(program, {.number = SYS_unshare}), 0);
}

TEST_F(Seccomp, UnconfinedIsNoFilter) {
  EXPECT_EQ(filter("unconfined"), "");
}

TEST_F(Seccomp, CompiledOnceAndKeptApart) {
  const std::string first = filter();
  EXPECT_EQ(cached().size(), 1U);
  struct stat before{};
  const std::string path = scratch_.path() + "/seccomp/" + cached()[0];
  ASSERT_EQ(::stat(path.c_str(), &before), 0);
  EXPECT_EQ(before.st_mode & 077, 0U);
  EXPECT_EQ(filter(), first);
  struct stat after{};
  ASSERT_EQ(::stat(path.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino) << "not written again";
  filter("", 0);
  EXPECT_EQ(cached().size(), 2U) << "other capabilities, another filter";
  filter(R"({"defaultAction": "SCMP_ACT_ALLOW"})");
  EXPECT_EQ(cached().size(), 3U);
}

TEST_F(Seccomp, ADamagedFileIsMadeAgain) {
  const std::string right = filter();
  const std::string path = scratch_.path() + "/seccomp/" + cached()[0];
  const std::string whole = sys::read_file_at(AT_FDCWD, path, 1 << 20).value();
  const auto with = [&](const std::string& damaged) {
    std::ofstream(path, std::ios::trunc) << damaged;
    EXPECT_EQ(filter(), right);
    EXPECT_EQ(sys::read_file_at(AT_FDCWD, path, 1 << 20).value(), whole) << "and put right";
  };
  with("");
  with(whole.substr(0, whole.size() - 8));
  with(whole.substr(0, whole.size() - 3));
  with(whole + std::string(8, '\0'));
  std::string flipped = whole;
  flipped[flipped.size() - 100] ^= 1;
  with(flipped);
  std::string other_library = whole;
  other_library[40] ^= 1;
  with(other_library);
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  with(whole.substr(0, 400));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", path.c_str()), 0);
  EXPECT_EQ(filter(), right) << "a link is not followed";
}

TEST_F(Seccomp, ADirectoryThatOthersCanWriteIsRefused) {
  filter();
  ASSERT_EQ(::chmod((scratch_.path() + "/seccomp").c_str(), 0777), 0);
  const auto refused = filter_for(cache(), "", 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("root's alone"));
}

TEST_F(Seccomp, FromTheCacheInNoTime) {
  filter();
  double best = 1e9;
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    filter();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  RecordProperty("microseconds", fmt::format("{:.0f}", best));
  EXPECT_LT(best, 2000) << "compiling takes far longer";
}

}  // namespace
}  // namespace berth::seccomp
