#include "runtime/filesystem.h"

#include <algorithm>

#include "base/fields.h"
#include "sys/mount_api.h"

namespace berth::runtime {

Result<sys::UniqueFd> make_filesystem(const MountPlan& mount) {
  sys::FilesystemContext context = TRY(sys::FilesystemContext::open(mount.type));
  TRY(context.set("source", mount.source.empty() ? mount.type : mount.source));
  std::string_view rest = mount.options;
  while (!rest.empty()) {
    const std::string_view option = take_until(rest, ',');
    const size_t equals = option.find('=');
    if (equals == std::string_view::npos) {
      TRY(context.set_flag(std::string(option)));
    } else {
      TRY(context.set(std::string(option.substr(0, equals)), std::string(option.substr(equals + 1))));
    }
  }
  TRY(context.create());
  return context.mount(static_cast<unsigned>(mount.attributes.set));
}

}  // namespace berth::runtime
