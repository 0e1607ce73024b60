#include "cli/translation_text.h"

#include "cli/image_text.h"

namespace berth::cli {

void announce_translation(const engine::TranslationCost& cost) {
  fmt::print(stderr, "berth: copying {} for the IDs {}: {} files, {}\n", printable(cost.image), cost.ids,
             cost.files, human_size(cost.bytes));
}

}  // namespace berth::cli
