#include "unpack/unpack_layer.h"

#include <thread>

#include <fcntl.h>

#include "sys/file.h"
#include "unpack/blob_file.h"
#include "unpack/chunk_queue.h"
#include "unpack/decompress.h"

namespace berth::unpack {

namespace {

constexpr size_t kChunks = 8;
constexpr size_t kChunkSize = 256 << 10;

// The consuming end of the queue, as the tar reader wants it; hashes what goes by.
class QueueSource : public ChunkSource {
 public:
  QueueSource(ChunkQueue& queue, const Limits& limits) : queue_(queue), limits_(limits) {}

  Result<std::span<const std::byte>> next() override {
    if (current_) queue_.recycle(std::move(*current_));
    current_ = queue_.pop();
    if (!current_) {
      // The producer knows why it stopped; its error is the one that is shown.
      if (queue_.cancelled()) return fail("the layer could not be read to its end");
      return std::span<const std::byte>{};
    }
    total_ += current_->length;
    if (total_ > limits_.unpacked_bytes) {
      return fail(Code::refused, "the layer has more than {} bytes unpacked", limits_.unpacked_bytes);
    }
    const std::span<const std::byte> data = std::span(current_->buffer).first(current_->length);
    sha_.update(data);
    return data;
  }

  std::string digest() { return sha_.digest(); }

 private:
  ChunkQueue& queue_;
  const Limits& limits_;
  std::optional<ChunkQueue::Chunk> current_;
  Sha256 sha_;
  uint64_t total_ = 0;
};

struct Consumed {
  std::string diff_id;
  TreeSummary tree;
};

// The unpacking thread: tar entries become files. Reads to the end, as the digest covers all of it.
Result<Consumed> consume(ChunkQueue& queue, std::optional<sys::UniqueFd> tree_dir, const Limits& limits) {
  QueueSource source(queue, limits);
  TarReader reader(source, limits);
  Consumed consumed;
  if (tree_dir) {
    LayerTree tree(std::move(*tree_dir), limits);
    TarEntry entry;
    while (TRY(reader.next(entry))) TRY(tree.add(entry, reader));
    TRY(reader.drain());
    consumed.tree = TRY(tree.finish());
  } else {
    TRY(reader.drain());
  }
  consumed.diff_id = source.digest();
  return consumed;
}

// The reading thread's way to the other one: decompresses into the queue's buffers.
class ChunkFiller {
 public:
  explicit ChunkFiller(ChunkQueue& queue) : queue_(queue) {}

  // False: the consumer has given up.
  Result<bool> feed(std::span<const std::byte> input) {
    if (!decompressor_) {
      compression_ = detect_compression(input);
      decompressor_ = make_decompressor(compression_);
    }
    while (true) {
      if (!chunk_) chunk_ = queue_.take_empty();
      if (!chunk_) return false;
      const std::span<std::byte> room = std::span(chunk_->buffer).subspan(chunk_->length);
      const Decompressor::Progress progress = TRY(decompressor_->step(input, room));
      input = input.subspan(progress.consumed);
      chunk_->length += progress.produced;
      if (chunk_->length == chunk_->buffer.size()) {
        push();
      } else if (input.empty()) {
        return true;
      } else if (progress.consumed == 0 && progress.produced == 0) {
        return fail(Code::refused, "the {} data is damaged", name_of(compression_));
      }
    }
  }

  Result<> finish() {
    if (decompressor_) TRY(decompressor_->finish());
    if (chunk_ && chunk_->length > 0) push();
    queue_.close();
    return {};
  }

  [[nodiscard]] Compression compression() const { return compression_; }

 private:
  void push() {
    queue_.push(std::move(*chunk_));
    chunk_.reset();
  }
  ChunkQueue& queue_;
  std::optional<ChunkQueue::Chunk> chunk_;
  std::unique_ptr<Decompressor> decompressor_;
  Compression compression_ = Compression::none;
};

struct Produced {
  BlobReader::Blob blob;
  Compression compression = Compression::none;
};

// Nothing: the consumer has given up, and its error counts.
Result<std::optional<Produced>> produce(BlobReader& reader, ChunkQueue& queue) {
  ChunkFiller filler(queue);
  while (true) {
    const std::span<const std::byte> data = TRY(reader.read());
    if (data.empty()) break;
    Result<bool> fed = filler.feed(data);
    if (!fed) TRY(reader.explain_damage(std::move(fed.error())));
    if (fed && !*fed) return std::nullopt;
  }
  // The digest is what tells a cut-off or altered blob from a badly made one, so it is looked at first.
  Produced produced{TRY(reader.finish()), filler.compression()};
  TRY(filler.finish());
  if (produced.blob.compressed_here) produced.compression = Compression::gzip;
  return produced;
}

Result<std::optional<sys::UniqueFd>> make_tree_dir(int staging, UnpackMode mode) {
  if (mode == UnpackMode::blob_only) return std::nullopt;
  TRY(sys::ensure_dir_at(staging, kStagedTree, 0700));
  return TRY(sys::open_at(staging, kStagedTree, O_PATH | O_DIRECTORY | O_NOFOLLOW));
}

}  // namespace

Result<UnpackedLayer> unpack_layer(ByteSource& source, const LayerExpectation& expected, UnpackMode mode,
                                   int staging, const Limits& limits) {
  std::optional<sys::UniqueFd> tree_dir = TRY(make_tree_dir(staging, mode));
  BlobReader reader(source, expected,
                    TRY(sys::open_at(staging, kStagedBlob, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600)));
  ChunkQueue queue(kChunks, kChunkSize);
  Result<Consumed> consumed;
  std::thread unpacking([&] {
    consumed = consume(queue, std::move(tree_dir), limits);
    if (!consumed) queue.cancel();
  });
  Result<std::optional<Produced>> produced = produce(reader, queue);
  if (!produced) queue.cancel();
  unpacking.join();
  if (!produced) return std::unexpected(std::move(produced).error());
  if (!consumed) return std::unexpected(std::move(consumed).error());
  if (expected.diff_id && consumed->diff_id != *expected.diff_id) {
    return fail(Code::refused,
                "the layer is not the one that the configuration lists: its digest should be {} and is {}",
                *expected.diff_id, consumed->diff_id);
  }
  const Produced& read = **produced;
  return UnpackedLayer{read.blob.digest, read.blob.size, layer_media_type(read.compression),
                       std::move(consumed->diff_id), std::move(consumed->tree)};
}

}  // namespace berth::unpack
