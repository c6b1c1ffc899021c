// What every exported function shares: status values, modes, handles.
#pragma once
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/api/include/torch/version.h>

#include <atomic>
#include <cstring>
#include <new>
#include <string>

#include "shim.h"

#define PDD_LIBTORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) || (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace pdd {

extern std::atomic<int64_t> live_tensors;

inline at::Tensor &deref(pdd_tensor t) {
  TORCH_CHECK(t, "a tensor is nil or was freed");
  return *static_cast<at::Tensor *>(t);
}

inline pdd_tensor hand_out(at::Tensor t) {  // the caller owns the handle and frees it with pdd_free
  auto *p = new at::Tensor(std::move(t));
  live_tensors++;
  return p;
}

at::ScalarType scalar_type(int64_t dtype);
int dtype_code(at::ScalarType t);
at::Device device(int64_t cuda);

// Copies between the CPU's pinned memory and a device, whose stream goes on with other work meanwhile. The pinned memory may
// be freed at once: its allocator waits for the copy.
at::Tensor to_device(const at::Tensor &pinned, int cuda);
at::Tensor from_device(const at::Tensor &x);  // waits for it

// What is computed on a device comes out equal in every run: see pdd_cuda_repeatable.
extern std::atomic<bool> repeatable;

pdd_status failure(int kind, const char *what) noexcept;
pdd_status classify(const char *what) noexcept;  // tells exhausted memory from other errors by libtorch's words

bool autocast_on_cpu();

// Runs body; whatever it throws becomes a status.
template <class F>
pdd_status guarded(F &&body) noexcept {
  try {
    body();
    return {PDD_OK, nullptr};
  } catch (const std::bad_alloc &) {
    return failure(PDD_NO_MEMORY, "the C++ heap is exhausted");
  } catch (const c10::Error &e) {
    return classify(e.what_without_backtrace());
  } catch (const std::exception &e) {
    return classify(e.what());
  } catch (...) {
    return failure(PDD_ERROR, "an unknown C++ exception");
  }
}

// Sets the modes of a call and restores the thread's own at the end.
class ModeGuard {
 public:
  explicit ModeGuard(pdd_mode m) : grad_(at::GradMode::is_enabled()), autocast_(m.autocast >= 0) {
    if (autocast_) save_and_set(m.autocast);
    if (m.grad >= 0) at::GradMode::set_enabled(m.grad != 0);
  }
  ~ModeGuard() {
    at::GradMode::set_enabled(grad_);
    if (autocast_) restore();
  }
  ModeGuard(const ModeGuard &) = delete;
  ModeGuard &operator=(const ModeGuard &) = delete;

 private:
  void save_and_set(int dtype);  // throws, having changed nothing, for a type autocast does not have
  void restore();
  bool grad_, autocast_;
  bool cpu_, cuda_, cache_;
  at::ScalarType cpu_type_, cuda_type_;
};

}  // namespace pdd
