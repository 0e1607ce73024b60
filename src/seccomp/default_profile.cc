#include "seccomp/default_profile.h"

#include <array>
#include <cerrno>
#include <string_view>

#include <linux/capability.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "oci/capability_names.h"

namespace berth::seccomp {

namespace {

// Names are separated by spaces. Names that an architecture, or this libseccomp, does not have are passed
// over, so the 32-bit forms (…64, …32, _time64) stand beside the usual ones.
constexpr std::array kAllowed{
    // Opening, naming and removing files.
    std::string_view(
        "open openat openat2 creat close close_range access faccessat faccessat2 readlink readlinkat "
        "link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir "
        "mknod mknodat chdir fchdir getcwd getdents getdents64 umask"),
    // Attributes of files.
    std::string_view(
        "stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs "
        "fstatfs64 chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat "
        "utime utimes futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr setxattr lsetxattr "
        "fsetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr getxattrat "
        "setxattrat listxattrat removexattrat file_getattr file_setattr"),
    // Reading and writing.
    std::string_view(
        "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek truncate "
        "truncate64 ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead sync fsync fdatasync "
        "syncfs sync_file_range sendfile sendfile64 copy_file_range splice tee vmsplice dup dup2 dup3 pipe "
        "pipe2 fcntl fcntl64 ioctl flock cachestat io_setup io_destroy io_submit io_cancel io_getevents "
        "io_pgetevents io_pgetevents_time64"),
    // Waiting for events.
    std::string_view(
        "poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 "
        "epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 "
        "inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark signalfd signalfd4 "
        "timerfd timerfd_create timerfd_settime timerfd_settime64 timerfd_gettime timerfd_gettime64"),
    // Memory.
    std::string_view(
        "brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 munlock mlockall "
        "munlockall remap_file_pages membarrier memfd_create memfd_secret pkey_alloc pkey_free "
        "pkey_mprotect map_shadow_stack mseal process_mrelease"),
    // Processes and threads.
    std::string_view(
        "fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid "
        "setpgid getpgrp getsid setsid set_tid_address set_thread_area get_thread_area set_robust_list "
        "get_robust_list rseq restart_syscall prctl pidfd_open pidfd_send_signal ptrace process_vm_readv "
        "process_vm_writev seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self "
        "lsm_get_self_attr lsm_set_self_attr lsm_list_modules listmount statmount uretprobe"),
    // Users and capabilities.
    std::string_view(
        "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 "
        "getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 "
        "setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid "
        "setfsgid32 setgroups setgroups32 capget capset"),
    // Signals.
    std::string_view(
        "kill tkill tgkill pause alarm signal sigaction sigpending sigprocmask sigreturn sigsuspend "
        "sigaltstack rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
        "rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo"),
    // Scheduling and limits.
    std::string_view(
        "sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam "
        "sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max "
        "sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority "
        "ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64 getrusage getcpu"),
    // Locks between threads, and System V and POSIX communication.
    std::string_view(
        "futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue ipc semget semop semctl "
        "semtimedop semtimedop_time64 shmget shmat shmdt shmctl msgget msgsnd msgrcv msgctl mq_open "
        "mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive "
        "mq_timedreceive_time64"),
    // Sockets; socket itself has a condition below.
    std::string_view(
        "socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername "
        "getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg "
        "recvmmsg_time64"),
    // Time.
    std::string_view(
        "time times gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
        "clock_nanosleep clock_nanosleep_time64 clock_adjtime clock_adjtime64 adjtimex nanosleep getitimer "
        "setitimer timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
        "timer_settime64"),
    // The machine.
    std::string_view("uname sysinfo getrandom"),
};

struct Conditional {
  int capability;
  std::string_view names;
};
constexpr std::array kWithCapability{
    Conditional{CAP_DAC_READ_SEARCH, "open_by_handle_at"},
    Conditional{
        CAP_SYS_ADMIN,
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr "
        "move_mount name_to_handle_at open_tree open_tree_attr perf_event_open quotactl quotactl_fd "
        "setdomainname sethostname setns syslog umount umount2 unshare"},
    Conditional{CAP_SYS_BOOT, "reboot"},
    Conditional{CAP_SYS_CHROOT, "chroot"},
    Conditional{CAP_SYS_MODULE, "delete_module init_module finit_module"},
    Conditional{CAP_SYS_PACCT, "acct"},
    Conditional{CAP_SYS_PTRACE, "kcmp pidfd_getfd process_madvise"},
    Conditional{CAP_SYS_RAWIO, "iopl ioperm"},
    Conditional{CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64"},
    Conditional{CAP_SYS_TTY_CONFIG, "vhangup"},
    Conditional{CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"},
    Conditional{CAP_SYSLOG, "syslog"},
    Conditional{CAP_BPF, "bpf"},
    Conditional{CAP_PERFMON, "perf_event_open"},
};

struct OfArchitecture {
  uint32_t native;
  std::string_view names;
};
constexpr std::array kOnArchitecture{
    OfArchitecture{SCMP_ARCH_X86_64, "arch_prctl modify_ldt"},
    OfArchitecture{SCMP_ARCH_AARCH64,
                   "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"},
    OfArchitecture{SCMP_ARCH_PPC64LE, "sync_file_range2 swapcontext"},
    OfArchitecture{SCMP_ARCH_S390X, "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr"},
    OfArchitecture{SCMP_ARCH_RISCV64, "riscv_flush_icache riscv_hwprobe"},
};

// Refused whatever the capabilities, but known: with EPERM, not ENOSYS.
constexpr std::string_view kRefused =
    "add_key request_key keyctl io_uring_setup io_uring_enter io_uring_register kexec_load kexec_file_load "
    "migrate_pages move_pages nfsservctl pivot_root swapon swapoff userfaultfd vm86 vm86old uselib ustat "
    "sysfs "
    "personality socket";

// Linux, the same with a 32-bit machine's name, either with the version number of Linux 2.6 (UNAME26), and
// the question which one it is. Others switch protections off, or run what no kernel runs any more.
constexpr std::array<uint64_t, 5> kPersonalities{0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF};

constexpr uint64_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;

constexpr uint64_t mix(uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;  // FNV-1a
  return (hash ^ '\n') * 0x100000001b3;
}

// The rules of make_* below are code, not tables: whoever changes what they mean changes this too.
constexpr uint64_t kRulesVersion = 1;

constexpr uint64_t fingerprint() {
  uint64_t hash = 0xcbf29ce484222325 + kRulesVersion;
  for (const std::string_view names : kAllowed) hash = mix(hash, names);
  for (const Conditional& row : kWithCapability)
    hash = mix(hash + static_cast<uint64_t>(row.capability), row.names);
  for (const OfArchitecture& row : kOnArchitecture) hash = mix(hash + row.native, row.names);
  return mix(hash, kRefused);
}

void append_names(std::string_view list, std::vector<std::string>& names) {
  while (!list.empty()) {
    const size_t space = list.find(' ');
    names.emplace_back(list.substr(0, space));
    list.remove_prefix(space == std::string_view::npos ? list.size() : space + 1);
  }
}

bool has(const Facts& facts, int capability) {
  return (facts.capabilities & oci::capability_bit(static_cast<unsigned>(capability))) != 0;
}

void add_conditional_rules(const Facts& facts, Profile& profile) {
  Rule allowed{{}, SCMP_ACT_ALLOW, {}};
  for (const Conditional& row : kWithCapability) {
    append_names(row.names, has(facts, row.capability) ? allowed.names : profile.also_known);
  }
  for (const OfArchitecture& row : kOnArchitecture) {
    if (row.native == facts.native) append_names(row.names, allowed.names);
  }
  profile.rules.push_back(std::move(allowed));
}

void add_argument_rules(const Facts& facts, Profile& profile) {
  using enum Argument::Operator;
  for (const uint64_t personality : kPersonalities) {
    profile.rules.push_back({{"personality"}, SCMP_ACT_ALLOW, {{0, equal, personality, 0}}});
  }
  // Virtual machine sockets have no namespace: a container would reach the hypervisor's host with them.
  profile.rules.push_back({{"socket"}, SCMP_ACT_ALLOW, {{0, not_equal, AF_VSOCK, 0}}});
  if (has(facts, CAP_SYS_ADMIN)) return;
  const unsigned flags_argument = facts.native == SCMP_ARCH_S390X ? 1 : 0;
  profile.rules.push_back({{"clone"}, SCMP_ACT_ALLOW, {{flags_argument, masked_equal, kNamespaceFlags, 0}}});
  // Its flags are in memory, where a filter can't see them; C libraries go on with clone when it is missing.
  profile.rules.push_back({{"clone3"}, SCMP_ACT_ERRNO(ENOSYS), {}});
}

}  // namespace

Profile default_profile(const Facts& facts) {
  Profile profile;
  profile.default_action = SCMP_ACT_ERRNO(EPERM);
  profile.architectures = seccomp_sub_architectures(facts.native);
  Rule allowed{{}, SCMP_ACT_ALLOW, {}};
  for (const std::string_view names : kAllowed) append_names(names, allowed.names);
  profile.rules.push_back(std::move(allowed));
  add_conditional_rules(facts, profile);
  add_argument_rules(facts, profile);
  append_names(kRefused, profile.also_known);
  return profile;
}

uint64_t default_fingerprint() {
  constexpr uint64_t kFingerprint = fingerprint();
  return kFingerprint;
}

}  // namespace berth::seccomp
