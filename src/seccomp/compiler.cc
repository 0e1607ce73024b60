#include "seccomp/compiler.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "seccomp/newer_calls.h"
#include "sys/file.h"

namespace berth::seccomp {

namespace {

constexpr const char* kLibrary = "libseccomp.so.2";

// The functions of libseccomp that are used, by their names in its header.
struct Library {
  decltype(&::seccomp_init) init = nullptr;
  decltype(&::seccomp_release) release = nullptr;
  decltype(&::seccomp_attr_set) attr_set = nullptr;
  decltype(&::seccomp_arch_add) arch_add = nullptr;
  decltype(&::seccomp_syscall_resolve_name) resolve_name = nullptr;
  decltype(&::seccomp_syscall_resolve_name_arch) resolve_name_arch = nullptr;
  decltype(&::seccomp_rule_add_array) rule_add_array = nullptr;
  decltype(&::seccomp_export_bpf) export_bpf = nullptr;
  std::string path;
};

template <typename Function>
bool find_symbol(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

// Loaded once a process and never unloaded.
Result<Library> load_library() {
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    Error error{Code::failed, 0, fmt::format("load {}: {}", kLibrary, ::dlerror()), {}};
    return std::unexpected(
        std::move(error).with_hint("Install libseccomp (Debian: libseccomp2), or run without a filter: "
                                   "--security-opt seccomp=unconfined."));
  }
  Library library;
  const bool complete = find_symbol(handle, "seccomp_init", library.init) &&
                        find_symbol(handle, "seccomp_release", library.release) &&
                        find_symbol(handle, "seccomp_attr_set", library.attr_set) &&
                        find_symbol(handle, "seccomp_arch_add", library.arch_add) &&
                        find_symbol(handle, "seccomp_syscall_resolve_name", library.resolve_name) &&
                        find_symbol(handle, "seccomp_syscall_resolve_name_arch", library.resolve_name_arch) &&
                        find_symbol(handle, "seccomp_rule_add_array", library.rule_add_array) &&
                        find_symbol(handle, "seccomp_export_bpf", library.export_bpf);
  if (!complete) return fail("{} lacks a function: {}", kLibrary, ::dlerror());
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(library.init), &info) != 0 && info.dli_fname != nullptr) {
    library.path = info.dli_fname;
  }
  return library;
}

struct Release {
  decltype(&::seccomp_release) release;
  void operator()(scmp_filter_ctx context) const { release(context); }
};
using Context = std::unique_ptr<void, Release>;

scmp_arg_cmp comparison(const Argument& argument) {
  using enum Argument::Operator;
  scmp_compare op = SCMP_CMP_EQ;
  switch (argument.op) {
    case not_equal:
      op = SCMP_CMP_NE;
      break;
    case less:
      op = SCMP_CMP_LT;
      break;
    case less_or_equal:
      op = SCMP_CMP_LE;
      break;
    case equal:
      op = SCMP_CMP_EQ;
      break;
    case greater_or_equal:
      op = SCMP_CMP_GE;
      break;
    case greater:
      op = SCMP_CMP_GT;
      break;
    case masked_equal:
      op = SCMP_CMP_MASKED_EQ;
      break;
  }
  return {argument.index, op, argument.value, argument.value_two};
}

Result<> add_rule(const Library& library, scmp_filter_ctx context, const Rule& rule) {
  std::vector<scmp_arg_cmp> comparisons;
  for (const Argument& argument : rule.arguments) comparisons.push_back(comparison(argument));
  for (const std::string& name : rule.names) {
    const int number = library.resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const int rc = library.rule_add_array(context, rule.action, number,
                                          static_cast<unsigned>(comparisons.size()), comparisons.data());
    // The same rule twice, and a call that an architecture does not have, change nothing.
    if (rc == 0 || rc == -EEXIST || rc == -EDOM) continue;
    return fail_errno(-rc, "the seccomp rule for {}", name);
  }
  return {};
}

// The highest number of the profile's calls on one architecture, or nothing if it has none of them.
std::optional<uint32_t> highest_number(const Library& library, const Profile& profile,
                                       uint32_t architecture) {
  std::optional<uint32_t> highest;
  const auto consider = [&](const std::string& name) {
    const int number = library.resolve_name_arch(architecture, name.c_str());
    // Negative ones are libseccomp's own stand-ins for calls that the architecture does not have.
    if (number < 0) return;
    const auto plain = static_cast<uint32_t>(number) & ~kX32Bit;
    if (architecture == SCMP_ARCH_X32 && plain >= kFirstOldX32Call) return;
    if (!highest || plain > *highest) highest = plain;
  };
  for (const Rule& rule : profile.rules) std::for_each(rule.names.begin(), rule.names.end(), consider);
  std::for_each(profile.also_known.begin(), profile.also_known.end(), consider);
  return highest;
}

std::string newer_calls_prefix(const Library& library, const Profile& profile, uint32_t native) {
  std::vector<KnownCalls> known;
  std::vector<uint32_t> architectures = profile.architectures;
  architectures.push_back(native);
  for (const uint32_t architecture : architectures) {
    if (const auto highest = highest_number(library, profile, architecture))
      known.push_back({architecture, *highest});
  }
  return refuse_newer_calls(known);
}

Result<std::string> export_program(const Library& library, scmp_filter_ctx context) {
  const sys::UniqueFd memory(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) return fail_errno(errno, "make a file in memory");
  if (const int rc = library.export_bpf(context, memory.get()); rc != 0) {
    return fail_errno(-rc, "generate the seccomp filter");
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return fail_errno(errno, "read the seccomp filter");
  return sys::read_all(memory.get(), size_t{1} << 20);
}

}  // namespace

LibraryIdentity identify_library(const std::string& path) {
  LibraryIdentity identity{.path = path};
  struct stat st{};
  if (path.empty() || ::stat(path.c_str(), &st) != 0) return identity;
  identity.device = st.st_dev;
  identity.inode = st.st_ino;
  identity.size = static_cast<uint64_t>(st.st_size);
  identity.modified = st.st_mtim.tv_sec * kNanoseconds + st.st_mtim.tv_nsec;
  return identity;
}

Result<CompiledFilter> compile_profile(const Profile& profile, uint32_t native) {
  const Library library = TRY(load_library());
  const Context context(library.init(profile.default_action), Release{library.release});
  if (context == nullptr) return fail("libseccomp does not take the profile's default action");
  // A binary tree in the place of a list. The kernel tries each call number on a filter that it loads, so
  // that this takes 0.4 ms and not 0.65. A libseccomp before 2.5 does not have it.
  library.attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const uint32_t architecture : profile.architectures) {
    const int rc = library.arch_add(context.get(), architecture);
    if (rc != 0 && rc != -EEXIST) return fail_errno(-rc, "add an architecture to the seccomp filter");
  }
  for (const Rule& rule : profile.rules) {
    // A rule that says what is the default anyway is none to libseccomp.
    if (rule.action != profile.default_action) TRY(add_rule(library, context.get(), rule));
  }
  CompiledFilter compiled;
  if (!profile.also_known.empty()) compiled.program = newer_calls_prefix(library, profile, native);
  compiled.program += TRY(export_program(library, context.get()));
  if (compiled.program.size() > BPF_MAXINSNS * sizeof(sock_filter)) {
    return fail(Code::refused, "the seccomp filter has {} instructions, and the kernel takes at most {}",
                compiled.program.size() / sizeof(sock_filter), BPF_MAXINSNS);
  }
  compiled.library = identify_library(library.path);
  return compiled;
}

}  // namespace berth::seccomp
