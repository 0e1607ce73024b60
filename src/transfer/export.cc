#include "transfer/export.h"

#include <vector>

#include "sys/file.h"
#include "transfer/file_tree.h"

namespace berth::transfer {

std::unique_ptr<FileSequence> whole_root(const engine::ContainerView& view, const engine::Changes& changes) {
  return std::make_unique<FileTree>(TreeRequest{.root = view.root(),
                                                .shift = view.layers().from_disk(),
                                                .left_out = &changes.left_out,
                                                .own = &changes.own});
}

Result<> write_stream(ByteSource& source, int fd) {
  std::vector<std::byte> piece(size_t{256} << 10);
  while (true) {
    const size_t n = TRY(source.read(piece));
    if (n == 0) return {};
    TRY(sys::write_all(fd, {reinterpret_cast<const char*>(piece.data()), n}));
  }
}

}  // namespace berth::transfer
