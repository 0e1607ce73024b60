// How copies of images for other IDs are shown to people.
#pragma once

#include <string>

#include "engine/translation/translate.h"
#include "store/store.h"

namespace berth::cli {

// Says on the standard error what a copy will cost; an engine::Announce.
void announce_translation(const engine::TranslationCost& cost);

struct TranslationList {
  std::string name;  // of the image, as name_matches() has it; empty: all
  bool json = false;
  bool heading = true;
};
// `berth images --translated`. Gives the exit status.
Result<int> list_translations(store::Store& store, const TranslationList& list);

}  // namespace berth::cli
