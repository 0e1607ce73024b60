#include "runtime/filesystem.h"

#include "sys/mount_api.h"

namespace berth::runtime {

Result<sys::UniqueFd> make_filesystem(const MountPlan& mount) {
  sys::FilesystemContext context = TRY(sys::FilesystemContext::open(mount.type));
  TRY(context.set("source", mount.source.empty() ? mount.type : mount.source));
  for (const std::string& option : mount.options) {
    const size_t equals = option.find('=');
    if (equals == std::string::npos) {
      TRY(context.set_flag(option));
    } else {
      TRY(context.set(option.substr(0, equals), option.substr(equals + 1)));
    }
  }
  TRY(context.create());
  return context.mount(static_cast<unsigned>(mount.attributes.set));
}

}  // namespace berth::runtime
