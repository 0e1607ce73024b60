// How copies of images for other IDs are shown to people.
#pragma once

#include "engine/translate.h"

namespace berth::cli {

// Says on the standard error what a copy will cost; an engine::Announce.
void announce_translation(const engine::TranslationCost& cost);

}  // namespace berth::cli
