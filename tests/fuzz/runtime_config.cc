// A bundle's config.json, the documents of exec and update, and the options of a mount, one a line.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mount.h>

#include "base/fields.h"
#include "bundle/config.h"
#include "bundle/state.h"

namespace {

using namespace berth::bundle;

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_attributes(const AttributeChange& change) {
  const uint64_t bits = ~uint64_t{MOUNT_ATTR__ATIME};
  expect((change.set & change.clear & bits) == 0);
  // A kind of access time is set only along with the mask that the kernel wants to see cleared.
  expect((change.set & MOUNT_ATTR__ATIME) == 0 || (change.clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
}

void check_options(std::string_view text) {
  std::vector<std::string> options;
  while (!text.empty()) options.emplace_back(berth::take_until(text, '\n'));
  const auto once = parse_mount_options(options);
  if (!once) return;
  check_attributes(once->attributes);
  check_attributes(once->recursive_attributes);
  expect((once->superblock_set & once->superblock_clear) == 0);
  expect(once->bind || !once->recursive_bind);
  // No parameter becomes two on its way to mount(2), and none gets lost.
  if (const auto data = data_text(once->data); data && !once->data.empty()) {
    size_t commas = 0;
    bool quoted = false;
    for (const char c : *data) {
      if (c == '"') quoted = !quoted;
      commas += c == ',' && !quoted ? 1 : 0;
    }
    expect(commas == once->data.size() - 1);
  }
  // The last one wins, so saying all of it again changes nothing.
  if (options.size() > kMaxMountOptions / 2) return;
  const std::vector<std::string> said(options);
  options.insert(options.end(), said.begin(), said.end());
  const auto twice = parse_mount_options(options);
  expect(twice && twice->attributes == once->attributes);
  expect(twice->recursive_attributes == once->recursive_attributes);
  expect(twice->superblock_set == once->superblock_set && twice->idmap == once->idmap);
}

void check_process(const Process& process) {
  expect(!process.args.empty() && !process.args.front().empty());
  expect(process.cwd.starts_with('/'));
  for (const std::string& entry : process.env) expect(entry.find('=', 1) != std::string::npos);
  if (!process.capabilities) return;
  const berth::sys::CapabilitySets& sets = *process.capabilities;
  expect((sets.effective & ~sets.permitted) == 0 && (sets.inheritable & ~sets.bounding) == 0);
  expect((sets.ambient & ~(sets.permitted & sets.inheritable)) == 0);
}

void check_map(const std::vector<berth::idmap::Extent>& extents) {
  expect(extents.empty() || berth::idmap::IdMap::from_extents(extents).has_value());
}

void check_config(const Config& config) {
  if (config.process) check_process(*config.process);
  for (const Mount& mount : config.mounts) {
    expect(mount.destination.starts_with('/'));
    expect(mount.uid_mappings.empty() == mount.gid_mappings.empty());
    check_map(mount.uid_mappings);
    check_map(mount.gid_mappings);
  }
  const Linux& part = config.linux_part;
  check_map(part.uid_mappings);
  check_map(part.gid_mappings);
  for (const Sysctl& sysctl : part.sysctls) {
    const std::string path = "/" + sysctl.path + "/";
    expect(path.find("//") == std::string::npos && path.find("/../") == std::string::npos);
  }
  for (const std::string& path : part.masked_paths) expect(path.starts_with('/'));
  for (const std::string& path : part.readonly_paths) expect(path.starts_with('/'));
  // What came in as JSON goes to hooks as JSON.
  const State state{.id = "fuzz", .bundle = "/", .annotations = config.annotations};
  expect(emit_state(state).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text);
  if (config) check_config(config->config);
  if (!config) expect(config.error().message.starts_with("config.json"));
  const auto process = parse_process(text);
  if (process) check_process(process->process);
  (void)parse_resources(text);
  check_options(text);
  return 0;
}
