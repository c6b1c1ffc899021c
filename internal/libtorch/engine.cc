#include "engine.h"

#include <cstdlib>
#include <thread>

#ifdef GOPDD_GLOO  // set-up found the gloo headers this libtorch was built with
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

#ifdef GOPDD_NCCL  // set-up found the headers of CUDA, and those of NCCL beside this libtorch
#define USE_C10D_NCCL
#pragma GCC diagnostic ignored "-Winterference-size"
#include <torch/csrc/cuda/nccl.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace pdd {

namespace {

using Opened = c10::intrusive_ptr<Backend>;
using StorePtr = c10::intrusive_ptr<c10d::Store>;

#ifdef GOPDD_GLOO
Opened open_gloo(const StorePtr &store, const pdd_group_options &o) {
  auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::milliseconds(o.timeout_ms));
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(o.host));
  options->threads = 2;
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, o.rank, o.size, options);
}
#endif

#ifdef GOPDD_NCCL
// c10d reads these from the environment alone. Its watchdog ends the process on errors by default; here they are errors.
void set_environment(const char *iface) {
  for (const char *name : {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "TORCH_NCCL_ENABLE_MONITORING", "TORCH_NCCL_RETHROW_CUDA_ERRORS"})
    setenv(name, "0", 0);
  if (*iface) setenv("NCCL_SOCKET_IFNAME", iface, 0);
}

Opened open_nccl(const StorePtr &store, const pdd_group_options &o) {
  const uint64_t headers = (uint64_t{NCCL_MAJOR} << 32) | (uint64_t{NCCL_MINOR} << 16) | uint64_t{NCCL_PATCH};
  TORCH_CHECK(torch::cuda::nccl::version() == headers, "this libtorch was built with another NCCL than the headers of ",
              NCCL_MAJOR, ".", NCCL_MINOR, ".", NCCL_PATCH, " that set-up found");
  set_environment(o.iface);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = std::chrono::milliseconds(o.timeout_ms);
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, o.rank, o.size, options);
}
#endif

}  // namespace

Engine open_engine(const StorePtr &store, const pdd_group_options &o) {
  const std::chrono::milliseconds timeout(o.timeout_ms);
#ifdef GOPDD_NCCL
  if (o.cuda >= 0) {
    Engine e{open_nccl(store, o), at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(o.cuda)), timeout};
    std::vector<at::Tensor> first{at::ones({1}, e.device)};  // NCCL connects when it has something to do
    e.wait(*e.backend->allreduce(first));
    return e;
  }
#endif
#ifdef GOPDD_GLOO
  return {open_gloo(store, o), at::kCPU, timeout};
#endif
  TORCH_CHECK(false, pdd_group_missing(o.cuda >= 0));
}

void Engine::wait(c10d::Work &w) const {
  if (device.is_cuda()) {  // NCCL's own wait makes the stream wait, not the thread
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (!w.isCompleted()) {
      TORCH_CHECK(std::chrono::steady_clock::now() < deadline, "not done after ", timeout.count(), " ms");
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    if (w.exception()) std::rethrow_exception(w.exception());
  }
  w.wait();
}

void Engine::close() {
#ifdef GOPDD_NCCL
  if (auto *nccl = dynamic_cast<c10d::ProcessGroupNCCL *>(backend.get())) nccl->shutdown();
#endif
  backend.reset();
}

}  // namespace pdd

const char *pdd_group_engine(int cuda) {
#ifdef GOPDD_NCCL
  if (cuda) return "nccl";
#endif
#ifdef GOPDD_GLOO
  return "gloo";
#endif
  return "";
}

const char *pdd_group_missing(int cuda) {
  if (*pdd_group_engine(cuda)) return "";
  return cuda ? "this build has no engine for several processes: third_party/setup.sh tells which headers of NCCL or "
                     "CUDA it did not find"
                   : "this libtorch comes without the headers of gloo, its engine for several processes on CPUs: use "
                     "Debian's (apt-get install libtorch-dev libgloo-dev, then third_party/setup.sh)";
}
