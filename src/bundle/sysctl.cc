#include <algorithm>

#include "base/fields.h"
#include "bundle/config_parts.h"

namespace berth::bundle {

namespace {

// Those of kernel.* that ipc/ipc_sysctl.c registers for each IPC namespace.
constexpr std::array<std::string_view, 12> kIpc{
    "kernel/auto_msgmni",     "kernel/msg_next_id", "kernel/msgmax",
    "kernel/msgmnb",          "kernel/msgmni",      "kernel/sem",
    "kernel/sem_next_id",     "kernel/shm_next_id", "kernel/shmall",
    "kernel/shm_rmid_forced", "kernel/shmmax",      "kernel/shmmni",
};

// The kind of namespace that has a value of its own for this name; none where the whole host has one.
std::optional<NamespaceType> owner(std::string_view path) {
  if (path.starts_with("net/")) return NamespaceType::network;
  if (path == "kernel/hostname" || path == "kernel/domainname") return NamespaceType::uts;
  const bool ipc = std::find(kIpc.begin(), kIpc.end(), path) != kIpc.end();
  if (ipc || path.starts_with("fs/mqueue/")) return NamespaceType::ipc;
  return std::nullopt;
}

// The name as a path. As with sysctl(8) the first separator says which one it is, and the other then stands
// for itself: "net/ipv4/conf/eth0.1/forwarding" is also "net.ipv4.conf.eth0/1.forwarding".
std::string path_of(std::string_view name) {
  std::string path(name);
  const size_t first = name.find_first_of("./");
  if (first == std::string_view::npos || name[first] == '/') return path;
  for (char& c : path) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return path;
}

bool is_sane(std::string_view path) {
  for (bool more = true; more;) {
    more = path.find('/') != std::string_view::npos;
    if (!is_plain_name(take_until(path, '/'))) return false;
  }
  return true;
}

Result<Sysctl> read_sysctl(const JsonView& view, const std::string& name,
                           const std::vector<Namespace>& namespaces) {
  Sysctl out{.path = path_of(name)};
  out.value = TRY(view.string());
  if (!is_sane(out.path)) return view.refuse("the name has an empty part, \"..\", or a blank in it");
  const std::optional<NamespaceType> type = owner(out.path);
  if (!type) return view.refuse_value("is not allowed, the name is that of a setting of the whole host");
  if (find_namespace(namespaces, *type) == nullptr) {
    return view.refuse_value(
        fmt::format("is not allowed without a namespace of type \"{}\"", namespace_name(*type)));
  }
  return out;
}

}  // namespace

Result<std::vector<Sysctl>> read_sysctls(const JsonView& linux_part,
                                         const std::vector<Namespace>& namespaces) {
  std::vector<Sysctl> out;
  const auto view = TRY(linux_part.find("sysctl"));
  if (!view) return out;
  const std::vector<std::string> names = TRY(view->keys());
  if (names.size() > kMaxListed) {
    return view->refuse(fmt::format("{} elements are not allowed, only {}", names.size(), kMaxListed));
  }
  for (const std::string& name : names) {
    const auto value = TRY(view->find(name));
    if (!value) continue;
    out.push_back(TRY(read_sysctl(*value, name, namespaces)));
  }
  // Two spellings of one name: which of them counts would be by chance.
  std::vector<std::string_view> paths;
  for (const Sysctl& sysctl : out) paths.push_back(sysctl.path);
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end()) return view->refuse(fmt::format("\"{}\" is given twice", *twice));
  return out;
}

}  // namespace berth::bundle
