// A blob that is fetched piece by piece, over as many connections as it takes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/byte_source.h"
#include "registry/client.h"

namespace berth::registry {

// Gives exactly descriptor.size bytes or an error. After a broken connection it asks for the rest (Range); a
// server that does not know ranges is asked for all of it again and the part that is known is dropped. The
// retries of the plan count anew once there was progress of 1 MiB.
class BlobStream : public ByteSource {
 public:
  BlobStream(Client& client, std::string repository, oci::Descriptor descriptor,
             std::function<void(size_t)> on_bytes);
  Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  Attempt<size_t> try_read(std::span<std::byte> buffer);
  Attempt<void> open_at_offset();
  Attempt<void> check_range(const Response& response) const;
  Attempt<void> skip(uint64_t bytes);

  Client& client_;
  std::string repository_;
  oci::Descriptor descriptor_;
  std::function<void(size_t)> on_bytes_;
  RetryPlan plan_;
  std::unique_ptr<Response> response_;
  uint64_t offset_ = 0;           // of the next byte for the reader
  uint64_t offset_at_reset_ = 0;  // when the plan last began to count
};

}  // namespace berth::registry
