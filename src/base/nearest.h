// "Did you mean …?"
#pragma once

#include <span>
#include <string_view>

namespace berth {

// The candidate nearest to `word` by edit distance, or "" if none is near enough to be meant.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace berth
