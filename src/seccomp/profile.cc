#include "seccomp/profile.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "oci/capability_names.h"
#include "oci/json.h"

namespace berth::seccomp {

namespace {

using nlohmann::json;

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

constexpr std::array<Named<uint32_t>, 17> kArchitectures{{
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
}};

// What includes and excludes call them.
constexpr std::array<Named<uint32_t>, 8> kShortArchitectures{{
    {"amd64", SCMP_ARCH_X86_64},
    {"x86", SCMP_ARCH_X86},
    {"x32", SCMP_ARCH_X32},
    {"arm64", SCMP_ARCH_AARCH64},
    {"arm", SCMP_ARCH_ARM},
    {"ppc64le", SCMP_ARCH_PPC64LE},
    {"s390x", SCMP_ARCH_S390X},
    {"riscv64", SCMP_ARCH_RISCV64},
}};

constexpr std::array<Named<uint32_t>, 9> kActions{{
    {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
}};

constexpr std::array<Named<Argument::Operator>, 7> kOperators{{
    {"SCMP_CMP_NE", Argument::Operator::not_equal},
    {"SCMP_CMP_LT", Argument::Operator::less},
    {"SCMP_CMP_LE", Argument::Operator::less_or_equal},
    {"SCMP_CMP_EQ", Argument::Operator::equal},
    {"SCMP_CMP_GE", Argument::Operator::greater_or_equal},
    {"SCMP_CMP_GT", Argument::Operator::greater},
    {"SCMP_CMP_MASKED_EQ", Argument::Operator::masked_equal},
}};

// TSYNC changes nothing for a process of one thread, which the filter is loaded into.
constexpr std::array<Named<uint32_t>, 4> kFlags{{
    {"SECCOMP_FILTER_FLAG_TSYNC", 0},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
}};

template <typename Value, size_t kSize>
Result<Value> look_up(const std::array<Named<Value>, kSize>& table, std::string_view what,
                      std::string_view name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const Named<Value>& row) { return row.name == name; });
  if (found == table.end()) return fail(Code::refused, "unknown {} \"{}\"", what, name);
  return found->value;
}

template <typename Value, size_t kSize>
std::vector<std::string> names_of(const std::array<Named<Value>, kSize>& table) {
  std::vector<std::string> names;
  for (const Named<Value>& row : table) names.emplace_back(row.name);
  return names;
}

// Typed access; absent and null are the same.
const json* find(const json& object, const char* key) {
  const auto member = object.find(key);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}
Result<std::string> string_of(const json& value, std::string_view what) {
  if (!value.is_string()) return fail(Code::refused, "{} must be a string", what);
  std::string text = value.get<std::string>();
  // No name in a profile holds one, and libseccomp would read up to it.
  if (text.find('\0') != std::string::npos) return fail(Code::refused, "{} holds a NUL byte", what);
  return text;
}
Result<std::string> string_at(const json& object, const char* key) {
  const json* value = find(object, key);
  if (value == nullptr) return std::string();
  return string_of(*value, key);
}
Result<uint64_t> number_at(const json& object, const char* key, uint64_t most) {
  const json* value = find(object, key);
  if (value == nullptr) return uint64_t{0};
  if (!value->is_number_unsigned() || value->get<uint64_t>() > most) {
    return fail(Code::refused, "{} must be a number from 0 to {}", key, most);
  }
  return value->get<uint64_t>();
}
Result<std::vector<const json*>> elements_at(const json& object, const char* key) {
  std::vector<const json*> elements;
  const json* value = find(object, key);
  if (value == nullptr) return elements;
  if (!value->is_array()) return fail(Code::refused, "{} must be an array", key);
  for (const json& element : *value) elements.push_back(&element);
  return elements;
}
Result<std::vector<std::string>> strings_at(const json& object, const char* key) {
  std::vector<std::string> strings;
  for (const json* element : TRY(elements_at(object, key))) strings.push_back(TRY(string_of(*element, key)));
  return strings;
}
Result<const json*> object_at(const json& object, const char* key) {
  static const json kEmpty = json::object();
  const json* value = find(object, key);
  if (value == nullptr) return &kEmpty;
  if (!value->is_object()) return fail(Code::refused, "{} must be an object", key);
  return value;
}

// errno by number or, as podman's profiles also have it, by name ("EPERM").
Result<uint32_t> errno_at(const json& object, const char* number_key, const char* name_key) {
  constexpr uint64_t kMaxErrno = 4095;
  if (find(object, number_key) != nullptr)
    return static_cast<uint32_t>(TRY(number_at(object, number_key, kMaxErrno)));
  const std::string name = TRY(string_at(object, name_key));
  if (name.empty()) return EPERM;
  for (int err = 1; err < 200; ++err) {
    const char* candidate = strerrorname_np(err);
    if (candidate != nullptr && name == candidate) return static_cast<uint32_t>(err);
  }
  return fail(Code::refused, "unknown {} \"{}\"", name_key, name);
}

Result<uint32_t> action_at(const json& object, const char* key, const char* number_key, const char* name_key,
                           const Facts& facts) {
  const std::string name = TRY(string_at(object, key));
  const uint32_t action = TRY(look_up(kActions, key, name));
  if (action == SCMP_ACT_NOTIFY && !facts.agent) {
    return fail(Code::refused, "{} is SCMP_ACT_NOTIFY, and there is no agent to notify", key);
  }
  if (action == SCMP_ACT_ERRNO(0)) return SCMP_ACT_ERRNO(TRY(errno_at(object, number_key, name_key)));
  if (action == SCMP_ACT_TRACE(0)) return SCMP_ACT_TRACE(TRY(errno_at(object, number_key, name_key)));
  // config-linux.md, "Seccomp": an action that has no error must not be given one.
  if (find(object, number_key) != nullptr)
    return fail(Code::refused, "{} {} has no error, so {} is not allowed", key, name, number_key);
  return action;
}

// "4.8": true if the kernel is that or newer.
Result<bool> kernel_is_at_least(std::string_view version, const Facts& facts) {
  std::array<unsigned, 2> wanted{};
  const char* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, wanted[0]);
  const bool dotted = major.ec == std::errc{} && major.ptr != end && *major.ptr == '.';
  const auto minor = dotted ? std::from_chars(major.ptr + 1, end, wanted[1]) : major;
  if (!dotted || minor.ec != std::errc{} || minor.ptr != end) {
    return fail(Code::refused, "minKernel \"{}\" is not a version such as 4.8", version);
  }
  return std::array{facts.kernel_major, facts.kernel_minor} >= wanted;
}

struct Conditions {
  bool any_capability = false;
  bool all_capabilities = true;
  bool any_architecture = false;
  bool names_architectures = false;
  bool names_kernel = false;
  bool kernel = false;
};

Result<Conditions> decide(const json& filter, const Facts& facts) {
  Conditions found;
  for (const std::string& name : TRY(strings_at(filter, "caps"))) {
    const Result<unsigned> number = oci::parse_capability(name);
    if (!number) return fail(Code::refused, "{}", number.error().message);
    const bool held = (facts.capabilities & oci::capability_bit(*number)) != 0;
    found.any_capability |= held;
    found.all_capabilities &= held;
  }
  for (const std::string& name : TRY(strings_at(filter, "arches"))) {
    found.names_architectures = true;
    // Others than these (mips, ppc) are never the host's.
    const Result<uint32_t> token = look_up(kShortArchitectures, "architecture", name);
    found.any_architecture |= token && *token == facts.native;
  }
  const std::string version = TRY(string_at(filter, "minKernel"));
  found.names_kernel = !version.empty();
  if (found.names_kernel) found.kernel = TRY(kernel_is_at_least(version, facts));
  return found;
}

Result<bool> applies(const json& rule, const Facts& facts) {
  const json* includes = TRY(object_at(rule, "includes"));
  const json* excludes = TRY(object_at(rule, "excludes"));
  const Conditions wanted = TRY(decide(*includes, facts));
  const Conditions unwanted = TRY(decide(*excludes, facts));
  if (unwanted.any_capability || unwanted.any_architecture || unwanted.kernel) return false;
  return wanted.all_capabilities && (!wanted.names_architectures || wanted.any_architecture) &&
         (!wanted.names_kernel || wanted.kernel);
}

Result<Argument> parse_argument(const json& value) {
  if (!value.is_object()) return fail(Code::refused, "args must hold objects");
  Argument argument;
  argument.index = static_cast<unsigned>(TRY(number_at(value, "index", 5)));
  argument.value = TRY(number_at(value, "value", UINT64_MAX));
  argument.value_two = TRY(number_at(value, "valueTwo", UINT64_MAX));
  const std::string op = TRY(string_at(value, "op"));
  argument.op = TRY(look_up(kOperators, "op", op));
  return argument;
}

// A filter compares one argument once in a rule; where a profile does it twice, runtimes take either as
// enough.
bool compares_one_twice(const std::vector<Argument>& arguments) {
  std::array<int, 6> times{};
  for (const Argument& argument : arguments) ++times.at(argument.index);
  return std::any_of(times.begin(), times.end(), [](int n) { return n > 1; });
}

Result<> add_rule(const json& value, const Facts& facts, size_t& names_seen, Profile& profile) {
  if (!value.is_object()) return fail(Code::refused, "it must be an object");
  Rule rule;
  rule.names = TRY(strings_at(value, "names"));
  const std::string single = TRY(string_at(value, "name"));
  if (!single.empty()) rule.names.push_back(single);
  if (rule.names.empty()) return fail(Code::refused, "it names no system call");
  names_seen += rule.names.size();
  if (names_seen > kMaxNames) return fail(Code::refused, "there are more than {} names", kMaxNames);
  rule.action = TRY(action_at(value, "action", "errnoRet", "errno", facts));
  for (const json* argument : TRY(elements_at(value, "args"))) {
    if (rule.arguments.size() == 64) return fail(Code::refused, "args has more than 64 elements");
    rule.arguments.push_back(TRY(parse_argument(*argument)));
  }
  if (!TRY(applies(value, facts))) return {};
  if (!compares_one_twice(rule.arguments)) {
    profile.rules.push_back(std::move(rule));
    return {};
  }
  for (const Argument& argument : rule.arguments) {
    profile.rules.push_back({rule.names, rule.action, {argument}});
  }
  return {};
}

Result<std::vector<uint32_t>> parse_architectures(const json& document, const Facts& facts) {
  std::vector<uint32_t> found;
  for (const std::string& name : TRY(strings_at(document, "architectures"))) {
    found.push_back(TRY(look_up(kArchitectures, "architecture", name)));
  }
  const std::vector<const json*> map = TRY(elements_at(document, "archMap"));
  if (!map.empty() && !found.empty()) return fail(Code::refused, "it has both architectures and archMap");
  for (const json* entry : map) {
    if (!entry->is_object()) return fail(Code::refused, "archMap must hold objects");
    const std::string name = TRY(string_at(*entry, "architecture"));
    // Some profiles have rows for architectures that came and went; only the host's row counts.
    const Result<uint32_t> token = look_up(kArchitectures, "architecture", name);
    if (!token || *token != facts.native) continue;
    for (const std::string& sub : TRY(strings_at(*entry, "subArchitectures"))) {
      found.push_back(TRY(look_up(kArchitectures, "architecture", sub)));
    }
  }
  std::erase(found, facts.native);
  return found;
}

bool notifies(const Profile& profile) {
  return profile.default_action == SCMP_ACT_NOTIFY ||
         std::any_of(profile.rules.begin(), profile.rules.end(),
                     [](const Rule& rule) { return rule.action == SCMP_ACT_NOTIFY; });
}

Result<Profile> parse_document(const json& document, const Facts& facts) {
  if (!document.is_object()) return fail(Code::refused, "it must be an object");
  Profile profile;
  profile.default_action =
      TRY(action_at(document, "defaultAction", "defaultErrnoRet", "defaultErrno", facts));
  profile.architectures = TRY(parse_architectures(document, facts));
  for (const std::string& flag : TRY(strings_at(document, "flags"))) {
    profile.flags |= TRY(look_up(kFlags, "flag", flag));
  }
  const std::vector<const json*> rules = TRY(elements_at(document, "syscalls"));
  size_t names_seen = 0;
  for (size_t i = 0; i < rules.size(); ++i) {
    TRY_CONTEXT(add_rule(*rules[i], facts, names_seen, profile), "syscalls[{}]", i);
  }
  // The kernel takes this one beside the other only.
  if (notifies(profile)) {
    profile.flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  } else {
    profile.flags &= ~uint32_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
  }
  return profile;
}

// The kernel looks at the flags before it looks at the filter, of which there is none here (seccomp(2)).
bool kernel_takes(uint32_t flags) {
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
}

constexpr uint32_t native_architecture() {
#if defined(__x86_64__)
  return SCMP_ARCH_X86_64;
#elif defined(__aarch64__)
  return SCMP_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
  return SCMP_ARCH_RISCV64;
#elif defined(__s390x__)
  return SCMP_ARCH_S390X;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return SCMP_ARCH_PPC64LE;
#else
#error "add this architecture to the seccomp profile's tables"
#endif
}

}  // namespace

Facts facts_of_host(uint64_t capabilities) {
  Facts facts{.native = native_architecture(), .capabilities = capabilities};
  utsname host{};
  ::uname(&host);
  const std::string_view release = host.release;
  const auto major = std::from_chars(release.data(), release.data() + release.size(), facts.kernel_major);
  if (major.ptr != release.data() + release.size()) {
    std::from_chars(major.ptr + 1, release.data() + release.size(), facts.kernel_minor);
  }
  return facts;
}

std::vector<uint32_t> seccomp_sub_architectures(uint32_t native) {
  if (native == SCMP_ARCH_X86_64) return {SCMP_ARCH_X86, SCMP_ARCH_X32};
  if (native == SCMP_ARCH_AARCH64) return {SCMP_ARCH_ARM};
  if (native == SCMP_ARCH_S390X) return {SCMP_ARCH_S390};
  return {};
}

Result<Profile> parse_profile(std::string_view text, const Facts& facts) {
  const json document = TRY_CONTEXT(oci::parse_json(text, kMaxProfileBytes), "the seccomp profile");
  return TRY_CONTEXT(parse_document(document, facts), "the seccomp profile");
}

std::vector<std::string> action_names() {
  return names_of(kActions);
}
std::vector<std::string> operator_names() {
  return names_of(kOperators);
}
std::vector<std::string> architecture_names() {
  return names_of(kArchitectures);
}
std::vector<std::string> flag_names() {
  return names_of(kFlags);
}

std::vector<std::string> usable_flag_names() {
  std::vector<std::string> names;
  for (const Named<uint32_t>& flag : kFlags) {
    const bool beside_listener = flag.value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    if (kernel_takes(flag.value | (beside_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0)))
      names.emplace_back(flag.name);
  }
  return names;
}

}  // namespace berth::seccomp
