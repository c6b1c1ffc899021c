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

int pdd_cuda_devices(void) {
  int n = 0;
  pdd::guarded([&] { n = static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()); });
  return n;
}

void pdd_cuda_tune(void) { at::globalContext().setBenchmarkCuDNN(true); }

// What the networks use and libtorch computes in varying order: convolutions' gradients, products of matrices where cuBLAS
// chooses its memory, and the gradient of bilinear enlargement (twice, in call.cc).
void pdd_cuda_repeatable(void) {
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  pdd::repeatable = true;
}

void pdd_cuda_tf32(int on) {
  at::globalContext().setAllowTF32CuDNN(on);
  at::globalContext().setAllowTF32CuBLAS(on);
}

// libtorch multiplies float32 in TF32 unless told otherwise, which has 10 bits of its 23.
static const bool exact_float32 = (pdd_cuda_tf32(0), true);

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
pdd_memory pdd_cuda_memory(int cuda) {
  pdd_memory m{};
  pdd::guarded([&] {
    using namespace c10::CachingAllocator;
    auto stats = c10::getDeviceAllocator(at::kCUDA)->getDeviceStats(static_cast<c10::DeviceIndex>(cuda));
    const Stat &all = stats.allocated_bytes[static_cast<size_t>(StatType::AGGREGATE)];
    m = {all.current, all.peak};
  });
  return m;
}

void pdd_cuda_reset_peak(int cuda) {
  pdd::guarded([&] { c10::getDeviceAllocator(at::kCUDA)->resetPeakStats(static_cast<c10::DeviceIndex>(cuda)); });
}
#else
pdd_memory pdd_cuda_memory(int) { return {}; }
void pdd_cuda_reset_peak(int) {}
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
