// What a container has changed, as the files of an image layer (image-spec, layer.md, "Change Types").
#pragma once

#include "engine/files/changes.h"
#include "engine/files/container_view.h"
#include "transfer/tar_stream.h"

namespace berth::transfer {

// What was deleted is a whiteout, a directory that hides the image's has an opaque one in it. The root
// directory is always among it, so that the layer says what its owner and mode are. The view and the list
// must outlive this. Code::refused for a file whose name would mean something else in a layer.
class ChangeLayer : public FileSequence {
 public:
  ChangeLayer(const engine::ContainerView& view, const engine::Changes& changes)
      : view_(view), changes_(changes), reader_(view.layers().from_disk()) {}
  Result<std::optional<ArchivedFile>> next() override;

 private:
  Result<std::optional<ArchivedFile>> read(const engine::Change& change);

  const engine::ContainerView& view_;
  const engine::Changes& changes_;
  FileReader reader_;
  bool has_root_ = false;
  size_t next_ = 0;
  std::string opaque_;  // a directory whose whiteout comes next
};

}  // namespace berth::transfer
