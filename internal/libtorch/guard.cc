#include "guard.h"

#include <cstdio>

namespace pdd {

std::atomic<int64_t> live_tensors{0};

at::ScalarType scalar_type(int64_t dtype) {
  switch (dtype) {
    case PDD_FLOAT32: return at::kFloat;
    case PDD_FLOAT64: return at::kDouble;
    case PDD_BFLOAT16: return at::kBFloat16;
    case PDD_FLOAT16: return at::kHalf;
    case PDD_UINT8: return at::kByte;
    case PDD_INT64: return at::kLong;
    case PDD_BOOL: return at::kBool;
  }
  TORCH_CHECK(false, "unknown dtype ", dtype);
}

int dtype_code(at::ScalarType t) {
  for (int d = PDD_FLOAT32; d <= PDD_BOOL; d++)
    if (scalar_type(d) == t) return d;
  return 0;
}

at::Device device(int64_t cuda) {
  TORCH_CHECK(cuda <= INT8_MAX, "there is no CUDA device ", cuda);
  return cuda < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(cuda));
}

// Errors of CUDA end in lines of advice, most of it for those who compile libtorch: where it begins, or the end.
static const char *advice(const char *what) {
  const char *error = strstr(what, "CUDA error: ");
  for (const char *words : {"\nSearch for", "\nCUDA kernel errors", "\nFor debugging consider", "\nCompile with"}) {
    if (const char *begin = error ? strstr(error, words) : nullptr) return begin;
  }
  return what + strlen(what);
}

pdd_status failure(int kind, const char *what) noexcept {
  const char *tail = advice(what);
  const char *kept = strstr(tail, "CUDA_LAUNCH_BLOCKING")
      ? " (may stem from an earlier operation on the device; CUDA_LAUNCH_BLOCKING=1 tells which)" : "";
  char *msg;
  if (asprintf(&msg, "%.*s%s", static_cast<int>(tail - what), what, kept) < 0) msg = nullptr;  // no memory for a text
  return {kind, msg};
}

pdd_status classify(const char *what) noexcept {
  for (const char *words : {"can't allocate memory", "not enough memory", "out of memory", "std::bad_alloc",
                            "Storage size calculation overflowed"})
    if (strstr(what, words)) return failure(PDD_NO_MEMORY, what);
  return failure(PDD_ERROR, what);
}

// libtorch 2.4 made autocast's functions take a device; the older names went in later versions.
#if PDD_LIBTORCH_AT_LEAST(2, 4)
static bool enabled(bool cuda) { return at::autocast::is_autocast_enabled(cuda ? at::kCUDA : at::kCPU); }
static void enable(bool cuda, bool on) { at::autocast::set_autocast_enabled(cuda ? at::kCUDA : at::kCPU, on); }
static at::ScalarType type(bool cuda) { return at::autocast::get_autocast_dtype(cuda ? at::kCUDA : at::kCPU); }
static void set_type(bool cuda, at::ScalarType t) { at::autocast::set_autocast_dtype(cuda ? at::kCUDA : at::kCPU, t); }
#else
static bool enabled(bool cuda) { return cuda ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled(); }
static void enable(bool cuda, bool on) { cuda ? at::autocast::set_enabled(on) : at::autocast::set_cpu_enabled(on); }
static at::ScalarType type(bool cuda) {
  return cuda ? at::autocast::get_autocast_gpu_dtype() : at::autocast::get_autocast_cpu_dtype();
}
static void set_type(bool cuda, at::ScalarType t) {
  cuda ? at::autocast::set_autocast_gpu_dtype(t) : at::autocast::set_autocast_cpu_dtype(t);
}
#endif

bool autocast_on_cpu() { return enabled(false); }

// The cache of cast weights stays off: it would outlive an optimizer step that changes the weights.
void ModeGuard::save_and_set(int dtype) {
  TORCH_CHECK(dtype == 0 || dtype == PDD_BFLOAT16 || dtype == PDD_FLOAT16, "autocast is to bfloat16 or float16");
  cpu_ = enabled(false), cuda_ = enabled(true), cache_ = at::autocast::is_autocast_cache_enabled();
  cpu_type_ = type(false), cuda_type_ = type(true);
  if (dtype) set_type(false, scalar_type(dtype)), set_type(true, scalar_type(dtype));
  enable(false, dtype != 0), enable(true, dtype != 0);
  at::autocast::set_autocast_cache_enabled(false);
}

void ModeGuard::restore() {
  set_type(false, cpu_type_), set_type(true, cuda_type_);
  enable(false, cpu_), enable(true, cuda_);
  at::autocast::set_autocast_cache_enabled(cache_);
}

}  // namespace pdd
