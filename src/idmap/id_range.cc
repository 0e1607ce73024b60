#include "idmap/id_range.h"

#include <algorithm>

namespace berth::idmap {

std::vector<IdRange> normalized(std::vector<IdRange> ranges) {
  std::erase_if(ranges, [](const IdRange& range) { return range.empty(); });
  std::sort(ranges.begin(), ranges.end(),
            [](const IdRange& a, const IdRange& b) { return a.begin < b.begin; });
  std::vector<IdRange> out;
  for (const IdRange& range : ranges) {
    if (!out.empty() && range.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, range.end);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

std::vector<IdRange> subtract(IdRange whole, const std::vector<IdRange>& holes) {
  std::vector<IdRange> out;
  for (const IdRange& hole : holes) {
    if (hole.end <= whole.begin) continue;
    if (hole.begin >= whole.end) break;
    if (hole.begin > whole.begin) out.push_back({whole.begin, hole.begin});
    whole.begin = hole.end;
  }
  if (!whole.empty()) out.push_back(whole);
  return out;
}

}  // namespace berth::idmap
