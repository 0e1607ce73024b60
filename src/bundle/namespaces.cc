#include <algorithm>

#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

constexpr std::array<Word<NamespaceType>, 8> kTypes{{
    {"cgroup", NamespaceType::cgroup},
    {"ipc", NamespaceType::ipc},
    {"mount", NamespaceType::mount},
    {"network", NamespaceType::network},
    {"pid", NamespaceType::pid},
    {"time", NamespaceType::time},
    {"user", NamespaceType::user},
    {"uts", NamespaceType::uts},
}};

// The clocks that a time namespace has (time_namespaces(7)).
constexpr std::array<Word<TimeOffset::Clock>, 2> kClocks{{
    {"monotonic", TimeOffset::Clock::monotonic},
    {"boottime", TimeOffset::Clock::boottime},
}};

Result<TimeOffset> read_offset(const JsonView& view, TimeOffset::Clock clock) {
  constexpr uint32_t kMostNanoseconds = 999'999'999;
  TimeOffset out{.clock = clock};
  out.seconds = TRY(read_number<int64_t>(view, "secs")).value_or(0);
  out.nanoseconds = TRY(read_number<uint32_t>(view, "nanosecs", 0, kMostNanoseconds)).value_or(0);
  return out;
}

}  // namespace

std::string_view namespace_name(NamespaceType type) {
  for (const Word<NamespaceType>& word : kTypes) {
    if (word.value == type) return word.name;
  }
  return {};
}

const Namespace* find_namespace(const std::vector<Namespace>& namespaces, NamespaceType type) {
  for (const Namespace& one : namespaces) {
    if (one.type == type) return &one;
  }
  return nullptr;
}

Result<std::vector<Namespace>> read_namespaces(const JsonView& linux_part) {
  std::vector<Namespace> out;
  for (const JsonView& view : TRY(read_list(linux_part, "namespaces", kMaxListed))) {
    const JsonView type = TRY(view.member("type"));
    Namespace one;
    one.type = TRY(read_word(type, kTypes));
    if (find_namespace(out, one.type) != nullptr) return type.refuse_value("is given twice");
    if (!TRY(view.string_or_empty("path")).empty()) {
      const JsonView path = TRY(view.member("path"));
      one.path = TRY(read_absolute_path(path));
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<TimeOffset>> read_time_offsets(const JsonView& linux_part,
                                                  const std::vector<Namespace>& namespaces) {
  std::vector<TimeOffset> out;
  const auto view = TRY(linux_part.find("timeOffsets"));
  if (!view) return out;
  const std::vector<std::string> names = TRY(view->keys());
  if (names.empty()) return out;
  // Offsets can be set only before the first process is in (time_namespaces(7)).
  const Namespace* time = find_namespace(namespaces, NamespaceType::time);
  if (time == nullptr || !time->path.empty()) {
    return view->refuse("it needs a new time namespace in linux.namespaces");
  }
  for (const std::string& name : names) {
    const auto offset = TRY(view->find(name));
    if (!offset) continue;
    const auto* clock =
        std::find_if(kClocks.begin(), kClocks.end(), [&](const auto& w) { return w.name == name; });
    if (clock == kClocks.end()) return offset->refuse("there is no such clock, only monotonic and boottime");
    out.push_back(TRY(read_offset(*offset, clock->value)));
  }
  return out;
}

}  // namespace berth::bundle
