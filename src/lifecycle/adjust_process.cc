#include "lifecycle/adjust_process.h"

#include <fcntl.h>

#include "sys/file.h"

namespace berth::lifecycle {

Result<> set_oom_score(pid_t pid, std::optional<int32_t> score) {
  if (!score) return {};
  TRY_CONTEXT(sys::write_control_file(AT_FDCWD, fmt::format("/proc/{}/oom_score_adj", pid),
                                      fmt::format("{}", *score)),
              "set process.oomScoreAdj to {}", *score);
  return {};
}

Result<> write_pid_file(const std::string& path, pid_t pid) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const sys::UniqueFd directory = TRY(sys::open_at(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY));
  TRY_CONTEXT(sys::replace_file_at(directory.get(), path.substr(slash + 1), fmt::format("{}", pid), 0644,
                                   sys::Durability::none),
              "--pid-file {}", path);
  return {};
}

}  // namespace berth::lifecycle
