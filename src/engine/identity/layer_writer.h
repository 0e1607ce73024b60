// Writes a layer that covers single files of an image and looks like the image everywhere else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/image_path.h"
#include "store/layer_stack.h"
#include "sys/unique_fd.h"

namespace berth::engine {

// In an overlay the uppermost layer's directory decides about owner, mode and xattrs of a merged one, so the
// layer's directories copy those of the image's, its root too. Files copy those of the file they cover,
// without setuid and setgid; what the image does not have is root's, 0755 and 0644. Everything is synced when
// finish() returns.
class LayerWriter {
 public:
  // `layer`: an empty directory. `image`: the image's layers; must outlive this.
  LayerWriter(sys::UniqueFd layer, const store::LayerStack& image)
      : layer_(std::move(layer)), image_(image) {}

  Result<> add_file(const store::ImagePath& place, std::string_view text);
  // Gives the directories their attributes: last, as a default ACL would be inherited and a time be changed.
  Result<> finish();

 private:
  sys::UniqueFd layer_;
  const store::LayerStack& image_;
  std::map<std::string, bool> directories_;  // path in the layer → whether the image has it
};

}  // namespace berth::engine
