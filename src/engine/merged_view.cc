#include "engine/merged_view.h"

#include <fcntl.h>
#include <sys/mount.h>

#include "sys/file.h"
#include "sys/mount_api.h"

namespace berth::engine {

Result<safepath::Root> open_merged_view(const store::Store& store, const std::vector<std::string>& layers) {
  constexpr unsigned kLookOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (layers.empty()) return fail("the image has no layers");
  if (layers.size() == 1) return safepath::Root::open(store.root(), "layers/" + layers.front());
  sys::FilesystemContext overlay = TRY(sys::FilesystemContext::open("overlay"));
  std::vector<sys::UniqueFd> mounts;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    mounts.push_back(TRY(sys::clone_tree(store.root(), "layers/" + *layer, false)));
    TRY(overlay.set_fd("lowerdir+", mounts.back().get()));
  }
  TRY(overlay.create());
  return safepath::Root(TRY(overlay.mount(kLookOnly)));
}

}  // namespace berth::engine
