// TorchScript modules.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "guard.h"

using torch::jit::Module;

pdd_status pdd_module_load(const char *path, int cuda, pdd_module *out) {
  return pdd::guarded([&] {
    auto m = std::make_unique<Module>(torch::jit::load(path, pdd::device(cuda)));
    m->eval();
    *out = m.release();
  });
}

pdd_status pdd_module_forward(pdd_module m, pdd_mode mode, pdd_tensor x, pdd_tensor *out) {
  return pdd::guarded([&] {
    pdd::ModeGuard modes(mode);
    auto y = static_cast<Module *>(m)->forward({pdd::deref(x)});
    TORCH_CHECK(y.isTensor(), "the module returns ", y.tagKind(), ", not one tensor");
    *out = pdd::hand_out(y.toTensor());
  });
}

void pdd_module_free(pdd_module m) {
  pdd::guarded([&] { delete static_cast<Module *>(m); });
}
