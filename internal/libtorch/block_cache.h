// Keeps freed blocks of large tensors for the next tensor of about their size, since fresh pages from the system are
// slow: without the cache, large blocks going back to the system at once, a forward pass of RRDBNet took 4.3 s instead
// of 3.3 s (docs/PERFORMANCE.md).
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>

namespace pdd {

class BlockCache {
 public:
  static constexpr size_t smallest = 1 << 20;  // smaller blocks are the C heap's business

  // A block of at least n bytes and at most a quarter more, or nullptr. Before a miss is answered with new memory,
  // cached blocks make room for it, so that live and cached bytes together stay below the most ever live.
  void *take(size_t n, size_t live, void (*release)(void *)) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = blocks_.lower_bound(n);
    if (it != blocks_.end() && it->first <= n + n / 4) {
      void *p = it->second;
      erase(it);
      return p;
    }
    most_ = std::max(most_, live + n);
    shrink(most_ - std::min(most_, live + n), release);
    return nullptr;
  }

  void put(void *p, size_t size) {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks_.emplace(size, p);
    bytes_ += size;
  }

  void clear(void (*release)(void *)) {
    std::lock_guard<std::mutex> lock(mutex_);
    shrink(0, release);
    most_ = 0;
  }

 private:
  using Blocks = std::multimap<size_t, void *>;

  void erase(Blocks::iterator it) {
    bytes_ -= it->first;
    blocks_.erase(it);
  }

  void shrink(size_t allowed, void (*release)(void *)) {
    while (bytes_ > allowed) {
      auto largest = std::prev(blocks_.end());
      release(largest->second);
      erase(largest);
    }
  }

  std::mutex mutex_;
  Blocks blocks_;
  size_t bytes_ = 0, most_ = 0;
};

}  // namespace pdd
