// The readers of the parts of config.json, for one another. Each checks its part as a whole, with what was
// read before it as a parameter.
#pragma once

#include "bundle/config.h"
#include "bundle/value_reader.h"

namespace berth::bundle {

// The process itself; `view` is `process`, or the whole document of exec.
Result<Process> read_process(const JsonView& view, Warnings& warnings);
Result<std::optional<sys::CapabilitySets>> read_capabilities(const JsonView& process, Warnings& warnings);
Result<std::optional<Scheduler>> read_scheduler(const JsonView& process);
Result<std::optional<IoPriority>> read_io_priority(const JsonView& process);
Result<std::optional<CpuAffinity>> read_cpu_affinity(const JsonView& process);

Result<Resources> read_resources(const JsonView& view);
Result<BlockIo> read_block_io(const JsonView& resources);
// What mknod(2) can make: majors of 12 bits, minors of 20.
Result<uint32_t> read_major(const JsonView& view);
Result<uint32_t> read_minor(const JsonView& view);

Result<Hooks> read_hooks(const JsonView& config);

Result<std::vector<Namespace>> read_namespaces(const JsonView& linux_part);
Result<std::vector<TimeOffset>> read_time_offsets(const JsonView& linux_part,
                                                  const std::vector<Namespace>& namespaces);
Result<std::vector<Sysctl>> read_sysctls(const JsonView& linux_part,
                                         const std::vector<Namespace>& namespaces);

// A list of ID mappings that may be absent. One that is not empty is a map that the kernel takes.
Result<std::vector<idmap::Extent>> read_mappings(const JsonView& object, std::string_view key);

Result<std::vector<Mount>> read_mounts(const JsonView& config, const std::vector<Namespace>& namespaces,
                                       Warnings& warnings);
// "rslave" and the like.
Result<std::optional<Propagation>> read_rootfs_propagation(const JsonView& linux_part);

Result<std::vector<DeviceNode>> read_devices(const JsonView& linux_part);
Result<std::optional<Seccomp>> read_seccomp(const JsonView& linux_part);
Result<std::optional<IntelRdt>> read_intel_rdt(const JsonView& linux_part);

Result<Linux> read_linux(const JsonView& view);

}  // namespace berth::bundle
