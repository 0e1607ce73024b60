// A bounded queue of buffers from one thread to another. The buffers are made once and go round.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace berth::unpack {

class ChunkQueue {
 public:
  struct Chunk {
    std::vector<std::byte> buffer;  // of chunk_size
    size_t length = 0;              // how much of it holds data
  };

  ChunkQueue(size_t chunks, size_t chunk_size) {
    for (size_t i = 0; i < chunks; ++i) empty_.push_back(Chunk{std::vector<std::byte>(chunk_size)});
  }

  // The producer: an empty buffer, when there is one. Nothing once the consumer has given up.
  std::optional<Chunk> take_empty() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !empty_.empty() || cancelled_; });
    if (cancelled_) return std::nullopt;
    return take(empty_);
  }
  void push(Chunk chunk) { put(full_, std::move(chunk)); }
  // No more chunks come.
  void close() { set(closed_); }

  // The consumer: the next buffer with data. Nothing at the end.
  std::optional<Chunk> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !full_.empty() || closed_ || cancelled_; });
    if (full_.empty() || cancelled_) return std::nullopt;
    return take(full_);
  }
  void recycle(Chunk chunk) {
    chunk.length = 0;
    put(empty_, std::move(chunk));
  }

  // Either side has failed: the other is woken and gets nothing more.
  void cancel() { set(cancelled_); }
  [[nodiscard]] bool cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

 private:
  static Chunk take(std::deque<Chunk>& from) {
    Chunk chunk = std::move(from.front());
    from.pop_front();
    return chunk;
  }
  void put(std::deque<Chunk>& to, Chunk chunk) {
    {
      const std::lock_guard lock(mutex_);
      to.push_back(std::move(chunk));
    }
    changed_.notify_all();
  }
  void set(bool& flag) {
    {
      const std::lock_guard lock(mutex_);
      flag = true;
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> empty_;
  std::deque<Chunk> full_;
  bool closed_ = false;
  bool cancelled_ = false;
};

}  // namespace berth::unpack
