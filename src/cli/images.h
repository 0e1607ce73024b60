// The commands about images that need neither a network nor archives.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> list_images(const Invocation& invocation);
Result<int> tag_image(const Invocation& invocation);
Result<int> untag_image(const Invocation& invocation);
Result<int> remove_images(const Invocation& invocation);
Result<int> inspect_images(const Invocation& invocation);
Result<int> image_history(const Invocation& invocation);
Result<int> prune_images(const Invocation& invocation);
Result<int> translate_image(const Invocation& invocation);
}  // namespace berth::cli
