#include "engine/container_processes.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/accounts.h"
#include "base/fields.h"
#include "engine/container/container_cgroup.h"
#include "engine/files/root_layers.h"
#include "safepath/root.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

// 0 if the process is gone.
ino_t pid_namespace(pid_t pid) {
  struct stat st{};
  return ::stat(fmt::format("/proc/{}/ns/pid", pid).c_str(), &st) == 0 ? st.st_ino : 0;
}

Result<std::vector<pid_t>> in_namespace_of(pid_t pid) {
  const ino_t wanted = pid_namespace(pid);
  const ino_t own = pid_namespace(1);
  // In the host's all processes are.
  if (wanted == 0 || wanted == own) return std::vector<pid_t>{pid};
  const sys::UniqueFd proc = TRY(sys::open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  std::vector<pid_t> found;
  for (const std::string& name : TRY(sys::list_dir(proc.get()))) {
    const auto number = whole_number<pid_t>(name);
    if (number && pid_namespace(*number) == wanted) found.push_back(*number);
  }
  return found;
}

// The last of the layers that has the file.
std::string account_file(const store::Store& store, const RootLayers& layers, const char* path,
                         const std::optional<std::string>& of_image) {
  for (const std::string& directory : {layers.upper, layers.identity_directory}) {
    if (directory.empty()) continue;
    const Result<safepath::Root> root = safepath::Root::open(store.root(), directory);
    if (!root) continue;
    if (Result<std::string> text = root->read_file(path, kMaxAccountFileBytes)) return std::move(*text);
  }
  return of_image.value_or("");
}

}  // namespace

Result<std::vector<sys::ProcessDetails>> processes_of(const store::Store& store,
                                                      const store::ContainerRecord& record,
                                                      const LiveStatus& live) {
  const std::optional<cgroup::Cgroup> cgroup = TRY(cgroup_of(store, record.id));
  std::vector<pid_t> pids = cgroup ? TRY(cgroup->processes()) : TRY(in_namespace_of(live.pid));
  std::sort(pids.begin(), pids.end());
  std::vector<sys::ProcessDetails> details;
  for (const pid_t pid : pids) {
    // Others end meanwhile.
    if (Result<sys::ProcessDetails> process = sys::read_process_details(pid))
      details.push_back(std::move(*process));
  }
  return details;
}

AccountTexts account_texts(store::Store& store, const store::ContainerRecord& record) {
  const Result<RootLayers> layers = root_layers(store, record);
  if (!layers) return {};
  return {account_file(store, *layers, "etc/passwd", layers->image.passwd),
          account_file(store, *layers, "etc/group", layers->image.group)};
}

}  // namespace berth::engine
