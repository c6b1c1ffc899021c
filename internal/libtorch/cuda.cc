// CUDA devices, through what libtorch has for devices of any kind: it takes none of CUDA's headers.
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstdlib>

#include "guard.h"

#if PDD_LIBTORCH_AT_LEAST(2, 11)  // the first that was tried
#include <c10/core/CachingDeviceAllocator.h>
#endif

using at::Tensor;

static c10::impl::VirtualGuardImpl cuda_impl() { return c10::impl::VirtualGuardImpl(at::kCUDA); }

pdd_status pdd_cuda_devices(int *n) {
  return pdd::guarded([&] { *n = static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()); });
}

void pdd_cuda_tune(void) {
  if (!pdd::repeatable) at::globalContext().setBenchmarkCuDNN(true);
}

// What the networks use and libtorch computes in varying order: convolutions' gradients, products of matrices where cuBLAS
// chooses its memory, and the gradient of bilinear enlargement (twice, in call.cc).
void pdd_cuda_repeatable(int on) {
  pdd::repeatable = on != 0;
  at::globalContext().setDeterministicCuDNN(on != 0);
  if (!on) return;
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::globalContext().setBenchmarkCuDNN(false);
}

static void use_tf32(bool on) {
  at::globalContext().setAllowTF32CuDNN(on);
  at::globalContext().setAllowTF32CuBLAS(on);
}

void pdd_cuda_allow_tf32(void) { use_tf32(true); }

// libtorch multiplies float32 in TF32 unless told otherwise, which has 10 bits of its 23.
static const bool exact_float32 = (use_tf32(false), true);

pdd_status pdd_cuda_own_stream(int cuda) {
  return pdd::guarded([&] {
    auto impl = cuda_impl();
    impl.exchangeStream(impl.getStreamFromGlobalPool(pdd::device(cuda), false));
  });
}

pdd_status pdd_cuda_wait(int cuda) {
  return pdd::guarded([&] { cuda_impl().getDefaultStream(pdd::device(cuda)).synchronize(); });
}

#if PDD_LIBTORCH_AT_LEAST(2, 11)
pdd_status pdd_cuda_memory(int cuda, pdd_memory *m) {
  return pdd::guarded([&] {
    using namespace c10::CachingAllocator;
    auto stats = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(pdd::device(cuda).index());
    const Stat &all = stats.allocated_bytes[static_cast<size_t>(StatType::AGGREGATE)];
    *m = {all.current, all.peak};
  });
}

pdd_status pdd_cuda_reset_peak(int cuda) {
  return pdd::guarded([&] { c10::getDeviceAllocator(at::kCUDA)->resetPeakStats(pdd::device(cuda).index()); });
}
#else
pdd_status pdd_cuda_memory(int, pdd_memory *) { return {PDD_OK, nullptr}; }
pdd_status pdd_cuda_reset_peak(int) { return {PDD_OK, nullptr}; }
#endif

namespace pdd {

std::atomic<bool> repeatable{false};

Tensor to_device(const Tensor &pinned, int cuda) { return pinned.to(device(cuda), /*non_blocking=*/true); }

Tensor from_device(const Tensor &x) {
  Tensor host = at::empty(x.sizes(), at::TensorOptions().dtype(x.dtype()).pinned_memory(true));
  host.copy_(x, /*non_blocking=*/true);
  cuda_impl().getStream(x.device()).synchronize();
  return host;
}

}  // namespace pdd
