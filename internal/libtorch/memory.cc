// The allocator of CPU tensors: libtorch's own, with the bytes counted and, if asked, limited, and large blocks reused.
#include <c10/core/Allocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "block_cache.h"
#include "guard.h"

namespace {

std::atomic<int64_t> live_bytes{0}, peak_bytes{0}, limit_bytes{0};
thread_local int64_t thread_live = 0, thread_peak = 0;  // taken minus released on this OS thread

pdd::BlockCache &cache() {  // never destroyed: tensors of static objects may outlive any other
  static auto *c = new pdd::BlockCache;
  return *c;
}

void release(void *p) {
  if (!p) return;
  size_t size = malloc_usable_size(p);
  live_bytes -= static_cast<int64_t>(size), thread_live -= static_cast<int64_t>(size);
  if (size < pdd::BlockCache::smallest) return c10::free_cpu(p);
  cache().put(p, size);
}

void raise_peak(int64_t now) {
  int64_t seen = peak_bytes;
  while (now > seen && !peak_bytes.compare_exchange_weak(seen, now)) {
  }
}

// A new block. Large ones ask for huge pages, which spare the convolutions page faults and the walks of page tables.
void *fresh(size_t n) {
  constexpr uintptr_t page = 4096, huge_page = 2 << 20;
  void *p = c10::alloc_cpu(n);
  if (p && n >= 2 * huge_page) {
    uintptr_t begin = (reinterpret_cast<uintptr_t>(p) + page - 1) / page * page, end = reinterpret_cast<uintptr_t>(p) + n;
    madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
  }
  return p;
}

void *obtain(size_t n) {
  if (n < pdd::BlockCache::smallest) return c10::alloc_cpu(n);
  if (void *p = cache().take(n, live_bytes, c10::free_cpu)) return p;
  try {
    return fresh(n);
  } catch (...) {
    cache().clear(c10::free_cpu);
    return fresh(n);
  }
}

class CountingAllocator final : public c10::Allocator {
 public:
#if PDD_LIBTORCH_AT_LEAST(2, 2)
  c10::DataPtr allocate(size_t n) override { return take(n); }
  void copy_data(void *dst, const void *src, size_t n) const override { default_copy_data(dst, src, n); }
#else
  c10::DataPtr allocate(size_t n) const override { return take(n); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &release; }

 private:
  static c10::DataPtr take(size_t n) {
    int64_t limit = limit_bytes;
    TORCH_CHECK(limit <= 0 || live_bytes + static_cast<int64_t>(n) <= limit, "not enough memory: ", n,
                " bytes asked for, ", live_bytes.load(), " of ", limit, " in use");
    void *p = obtain(n);
    if (p) {
      int64_t size = static_cast<int64_t>(malloc_usable_size(p));
      raise_peak(live_bytes += size);
      thread_peak = std::max(thread_peak, thread_live += size);
    }
    return {p, p, &release, c10::Device(c10::DeviceType::CPU)};
  }
};

CountingAllocator allocator;

// Runs when the program is loaded, before any tensor exists. The settings keep resident memory flat under pictures of
// ever new sizes; docs/NATIVE.md has the measurements. oneDNN and libtorch's layer above it keep a compiled kernel,
// about 0.4 MiB, for each convolution and size seen, 1024 each by default; a network needs some 30 for one size.
// Blocks of the cache get pages of their own (M_MMAP_THRESHOLD), so that kernels, which live long, pin no large holes.
struct Install {
  Install() {
    c10::SetAllocator(c10::DeviceType::CPU, &allocator, 1);
    if (!getenv("DNNL_PRIMITIVE_CACHE_CAPACITY")) setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128", 0);
    setenv("LRU_CACHE_CAPACITY", "128", 0);
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, pdd::BlockCache::smallest);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
  }
} install;

}  // namespace

int64_t pdd_live_tensors(void) { return pdd::live_tensors; }
int64_t pdd_live_bytes(void) { return live_bytes; }
int64_t pdd_peak_bytes(void) { return peak_bytes; }
void pdd_reset_peak_bytes(void) { peak_bytes = live_bytes.load(); }
int64_t pdd_thread_bytes(void) { return thread_live; }
int64_t pdd_thread_peak_bytes(void) { return thread_peak; }
void pdd_reset_thread_peak_bytes(void) { thread_peak = thread_live; }
void pdd_set_allocation_limit(int64_t bytes) { limit_bytes = bytes; }
void pdd_trim(void) {
  cache().clear(c10::free_cpu);
  malloc_trim(0);
}
