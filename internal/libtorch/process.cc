// The process: threads, versions; and the seam that lets gotorch start on one core.
#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <algorithm>

#include "guard.h"

#define PDD_STRING(x) #x
#define PDD_VERSION(a, b, c) PDD_STRING(a) "." PDD_STRING(b) "." PDD_STRING(c)

const char *pdd_compiled_version(void) {
  return PDD_VERSION(TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
}

pdd_status pdd_runtime_config(char **text) {
  return pdd::guarded([&] { *text = strdup(at::show_config().c_str()); });
}

// libtorch gives a thread the process's last number at its first parallel loop; asking for the number makes that
// happen before ours is set, not after.
pdd_status pdd_set_threads(int n) {
  return pdd::guarded([&] {
    at::get_num_threads();
    at::set_num_threads(n);
  });
}

int pdd_get_threads(void) { return at::get_num_threads(); }

uintptr_t pdd_thread_id(void) {
  thread_local char mark;
  return reinterpret_cast<uintptr_t>(&mark);
}

int pdd_cpu_bfloat16(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return 0;
#endif
}

// gotorch's package init calls this C function of its native half with half the CPU count, 0 on one core, and
// without a catch: the process would abort. A definition in the program comes before the shared library's.
extern "C" __attribute__((visibility("default"))) void SetNumThreads(int32_t n) { pdd_set_threads(std::max(n, 1)); }
