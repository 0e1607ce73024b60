#include "ledger/process_ids.h"

#include "idmap/id_map.h"
#include "sys/file.h"

namespace berth::ledger {

std::vector<idmap::IdRange> ranges_mapped_by(int procfs, const std::string& file) {
  constexpr size_t kLimit = idmap::IdMap::kMaxExtents * 40;  // the kernel pads each number to ten columns
  std::vector<idmap::IdRange> ranges;
  const Result<std::string> text = sys::read_file_at(procfs, file, kLimit);
  const Result<idmap::IdMap> map = text ? idmap::IdMap::parse(*text) : fail("it has ended");
  if (!map) return ranges;
  for (const idmap::Extent& extent : map->extents()) {
    if (extent.inside != extent.outside) ranges.push_back(idmap::outside_of(extent));
  }
  return ranges;
}

std::string command_of(int procfs, const std::string& pid) {
  constexpr size_t kLimit = 64;
  std::string command = sys::read_file_at(procfs, pid + "/comm", kLimit).value_or("?");
  if (command.ends_with('\n')) command.pop_back();
  return command;
}

}  // namespace berth::ledger
