#include "engine/container/out_of_memory.h"

#include <csignal>

#include "engine/container/container_spec.h"

namespace berth::engine {

namespace {

std::string size_text(uint64_t bytes) {
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  if (bytes % kMebibyte == 0) return fmt::format("{} MiB", bytes / kMebibyte);
  return fmt::format("{} bytes", bytes);
}

}  // namespace

std::string out_of_memory_text(const store::ContainerRecord& record, int status) {
  constexpr int kKilled = 128 + SIGKILL;
  const char* who = status == kKilled ? "" : "a process of ";
  const Result<ContainerSpec> spec = container_spec_from_json(record.spec);
  const uint64_t limit = spec ? spec->resources.memory : 0;
  return fmt::format("{}{} was killed for want of memory{}", who, record.name,
                     limit == 0 ? ": the host has no more" : ": its limit is " + size_text(limit));
}

}  // namespace berth::engine
