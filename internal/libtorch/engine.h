// The engines of c10d: what moves tensors between processes.
#pragma once
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

#include "process_group.h"

namespace pdd {

#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif

struct Engine {
  c10::intrusive_ptr<Backend> backend;
  at::Device device;  // of the tensors that it moves
  std::chrono::milliseconds timeout;

  // Blocks until the operation has ended; throws where it failed.
  void wait(c10d::Work &w) const;
  // Waits for the others, as far as the backend does.
  void close();
};

Engine open_engine(const c10::intrusive_ptr<c10d::Store> &store, const pdd_group_options &o);

}  // namespace pdd
