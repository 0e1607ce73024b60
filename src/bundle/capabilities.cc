#include <bit>

#include "bundle/config_parts.h"
#include "oci/capability_names.h"

namespace berth::bundle {

namespace {

// Names that are not known are left out: they are of a newer kernel, or of none.
Result<uint64_t> read_set(const JsonView& capabilities, std::string_view key, Warnings& warnings) {
  constexpr size_t kMostNames = 1024;
  uint64_t set = 0;
  for (const JsonView& name : TRY(read_list(capabilities, key, kMostNames))) {
    const std::string text = TRY(name.string());
    if (const Result<unsigned> number = oci::parse_capability(text)) {
      set |= oci::capability_bit(*number);
    } else {
      warn(warnings, name, name.shown() + " is not known, it is left out");
    }
  }
  return set;
}

// The first names and how many more: buildah's sets would fill a terminal at every step of a build.
std::string names_of(uint64_t set) {
  constexpr int kMostNames = 3;
  std::string names;
  int named = 0;
  for (unsigned number = 0; number <= oci::last_named_capability() && named < kMostNames; ++number) {
    if ((set & oci::capability_bit(number)) == 0) continue;
    names += (names.empty() ? "" : ", ") + oci::capability_name(number);
    ++named;
  }
  const int more = std::popcount(set) - named;
  return more == 0 ? names : fmt::format("{} and {} more", names, more);
}

// Leaves in `set`, which `key` names, what is in `within`.
Result<> limit(uint64_t& set, uint64_t within, const JsonView& capabilities, std::string_view key,
               std::string_view why, Warnings& warnings) {
  if (const uint64_t rest = set & ~within; rest != 0) {
    const JsonView view = TRY(capabilities.member(key));
    warn(warnings, view, fmt::format("{} can't be granted, {}", names_of(rest), why));
  }
  set &= within;
  return {};
}

}  // namespace

Result<std::optional<sys::CapabilitySets>> read_capabilities(const JsonView& process, Warnings& warnings) {
  const std::optional<JsonView> view = TRY(process.find("capabilities"));
  if (!view) return std::optional<sys::CapabilitySets>();
  sys::CapabilitySets sets;
  sets.bounding = TRY(read_set(*view, "bounding", warnings));
  sets.effective = TRY(read_set(*view, "effective", warnings));
  sets.permitted = TRY(read_set(*view, "permitted", warnings));
  sets.inheritable = TRY(read_set(*view, "inheritable", warnings));
  sets.ambient = TRY(read_set(*view, "ambient", warnings));
  // capabilities(7): capset(2) and PR_CAP_AMBIENT_RAISE fail with EPERM for these. runc ends without a word,
  // the specification wants a warning.
  TRY(limit(sets.inheritable, sets.bounding, *view, "inheritable", "not being in the bounding set",
            warnings));
  TRY(limit(sets.effective, sets.permitted, *view, "effective", "not being permitted", warnings));
  TRY(limit(sets.ambient, sets.permitted & sets.inheritable, *view, "ambient",
            "not being both permitted and inheritable", warnings));
  return std::optional(sets);
}

}  // namespace berth::bundle
