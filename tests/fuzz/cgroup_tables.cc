// Texts of /proc/self/mountinfo and /proc/self/cgroup, separated by 0x01, and after another 0x01 a
// cgroupsPath and a record. What is accepted is written as it was read, and no path leads up.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "cgroup/cgroup.h"
#include "cgroup/statistic_files.h"

using namespace berth::cgroup;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_path(const CgroupsPath& path) {
  require(!path.parts.empty());
  for (const std::string& part : path.parts) {
    require(!part.empty() && part != "." && part != ".." && part.find('/') == std::string::npos);
  }
  require(parse_cgroups_path(path.text()).value() == path);
}

void check_statistics(std::string_view text) {
  for (const auto& [name, value] : parse_flat(text)) require(name.find_first_of(" \n") == std::string::npos);
  parse_pressure(text);
  IoStatistics io;
  parse_io_stat(text, io);
  for (const IoCount& one : parse_blkio(text)) require(one.operation != "Total");
  require(parse_rdma(text, text).size() == parse_rdma(text, "").size());
  parse_numbers(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view mountinfo = berth::take_until(input, '\x01');
  const std::string_view memberships = berth::take_until(input, '\x01');
  if (const auto found = parse_hierarchies(mountinfo, memberships)) {
    for (size_t i = 0; i < found->all.size(); ++i) {
      const Hierarchy& one = found->all[i];
      require(found->find(one.key) == &one);
      require(!one.v2() || i == 0);
      if (one.own) require(one.own->starts_with('/'));
    }
  }
  check_statistics(mountinfo);
  check_statistics(memberships);
  const std::string_view path = berth::take_until(input, '\x01');
  if (const auto parsed = parse_cgroups_path(path)) check_path(*parsed);
  if (const auto parsed = parse_systemd_path(path)) check_path(parsed->path());
  if (const auto record = parse_record(input)) require(parse_record(record_text(*record)).value() == *record);
  return 0;
}
