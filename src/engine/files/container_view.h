// A container's files as its processes see them, for commands on the host, whether it runs or not: an overlay
// of the same layers that can only be read, without anything that is mounted in the container. IDs are as
// they are on disk.
#pragma once

#include <vector>

#include "engine/files/root_layers.h"
#include "engine/identity/identity_uses.h"
#include "store/layer_stack.h"
#include "sys/unique_fd.h"

namespace berth::engine {

// Puts the calling process into a mount namespace of its own for as long as it lives: what is mounted from
// then on nobody else sees, and it goes with the process. Before there are threads.
Result<> leave_mount_namespace();

class ContainerView {
 public:
  // The caller has left its mount namespace.
  //
  // Files that a container has only given another mode or owner hold nothing but zeroes in its own layer
  // (overlayfs's metacopy), and directories that it has renamed refer to another place: both are as they
  // should be here. What changes while one looks may be seen in either state.
  static Result<ContainerView> open(store::Store& store, const store::ContainerRecord& record);

  [[nodiscard]] const RootLayers& layers() const { return layers_; }
  // Open for reading.
  [[nodiscard]] int root() const { return root_.get(); }
  // The container's own layer: what it has changed.
  [[nodiscard]] int upper() const { return upper_.get(); }
  // What it began with, without the identity layer.
  [[nodiscard]] const store::LayerStack& image() const { return image_; }
  // Open for reading; not open if there is none.
  [[nodiscard]] int identity() const { return identity_.get(); }

 private:
  ContainerView(IdentityUse use, RootLayers layers, store::LayerStack image)
      : use_(std::move(use)), layers_(std::move(layers)), image_(std::move(image)) {}
  IdentityUse use_;  // so that the identity layer stays
  RootLayers layers_;
  store::LayerStack image_;
  std::vector<sys::UniqueFd> sources_;
  sys::UniqueFd mount_;
  sys::UniqueFd root_;
  sys::UniqueFd upper_;
  sys::UniqueFd identity_;
};

// The directory on the host that mounts in a private namespace may cover, made if it is not there.
Result<std::string> scratch_directory(const store::Store& store);

}  // namespace berth::engine
