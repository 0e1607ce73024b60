#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

constexpr std::string_view kNotify = "SCMP_ACT_NOTIFY";

// Those of seccomp(2) that the specification names.
constexpr std::array<Word<bool>, 4> kFlags{{
    {"SECCOMP_FILTER_FLAG_TSYNC", true},
    {"SECCOMP_FILTER_FLAG_LOG", true},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", true},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", true},
}};

// The rules are read by whoever compiles them (seccomp/profile.h); here it is asked only whether a supervisor
// is needed.
Result<bool> asks_to_notify(const JsonView& view) {
  const JsonView default_action = TRY(view.member("defaultAction"));
  bool notifies = TRY(default_action.string()) == kNotify;
  constexpr size_t kMaxRules = 16384;
  for (const JsonView& rule : TRY(read_list(view, "syscalls", kMaxRules))) {
    const JsonView action = TRY(rule.member("action"));
    notifies |= TRY(action.string()) == kNotify;
  }
  return notifies;
}

}  // namespace

Result<std::optional<Seccomp>> read_seccomp(const JsonView& linux_part) {
  const auto view = TRY(linux_part.find("seccomp"));
  if (!view) return std::optional<Seccomp>();
  Seccomp out;
  out.notifies = TRY(asks_to_notify(*view));
  for (const JsonView& flag : TRY(read_list(*view, "flags", kMaxListed))) {
    TRY(read_word(flag, kFlags));
    out.flags.push_back(TRY(flag.string()));
  }
  out.listener_path = TRY(view->string_or_empty("listenerPath"));
  out.listener_metadata = TRY(view->string_or_empty("listenerMetadata"));
  if (out.listener_path.empty() && !out.listener_metadata.empty()) {
    const JsonView metadata = TRY(view->member("listenerMetadata"));
    return metadata.refuse_value("is not allowed without \"listenerPath\"");
  }
  if (out.listener_path.empty() && out.notifies) {
    return view->refuse("\"listenerPath\" is missing, which SCMP_ACT_NOTIFY needs");
  }
  out.profile = TRY(view->text());
  return std::optional(std::move(out));
}

}  // namespace berth::bundle
