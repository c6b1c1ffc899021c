// The C face of libtorch that gopdd needs. Every function that can fail returns a
// pdd_status by value; no C++ exception leaves this file's implementation.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void *pdd_tensor;  // at::Tensor*, the same representation gotorch uses
typedef void *pdd_module;  // torch::jit::Module*

enum { PDD_OK = 0, PDD_ERROR = 1, PDD_NO_MEMORY = 2 };

typedef struct {
  int kind;   // PDD_OK, PDD_ERROR, PDD_NO_MEMORY
  char *msg;  // malloc'ed, freed by the caller, or NULL
} pdd_status;

// Modes are thread-local in libtorch and goroutines move between threads, so they travel with every call.
typedef struct {
  int8_t grad;      // -1: as the thread has it, 0: off, 1: on
  int8_t autocast;  // -1: as the thread has it, 0: off, else a pdd dtype
} pdd_mode;

enum {
  PDD_FLOAT32 = 1, PDD_FLOAT64, PDD_BFLOAT16, PDD_FLOAT16, PDD_UINT8, PDD_INT64, PDD_BOOL,
};

// One operation: tensors, integers and numbers in, tensors out. op is one of ops.h.
pdd_status pdd_call(int op, pdd_mode mode, pdd_tensor *in, int nin, const int64_t *ints, int nints,
                    const double *nums, int nnums, pdd_tensor *out, int nout);

void pdd_free(pdd_tensor t);

typedef struct {
  int64_t shape[8];
  int dims;           // -1: more than 8
  int dtype;          // 0: none of ours
  int cuda;           // device index, -1: CPU
  int channels_last;
  int requires_grad;
} pdd_info;
pdd_status pdd_inspect(pdd_tensor t, pdd_info *info);

// The first element of a contiguous CPU tensor, in the tensor's own memory.
pdd_status pdd_data(pdd_tensor t, void **data);

// Copies between Go memory and tensors, on a CUDA device or, with cuda -1, on the CPU; n is in bytes and checked. dtype is
// the memory's.
pdd_status pdd_from_memory(const void *src, int64_t n, int dtype, const int64_t *shape, int dims, int cuda, pdd_tensor *out);
pdd_status pdd_to_memory(pdd_tensor t, void *dst, int64_t n, int dtype);

// Gradients: torch::autograd::backward, ::grad, and x.grad().
pdd_status pdd_backward(pdd_tensor loss, int retain_graph);
pdd_status pdd_grads(pdd_tensor loss, pdd_tensor *inputs, int n, int retain_graph, pdd_tensor *out);
pdd_status pdd_grad(pdd_tensor t, pdd_tensor *out);  // *out NULL when there is none

// Adam over lists, one pass over memory; m and v are the moments. grads[i] NULL skips a parameter.
typedef struct { double lr, beta1, beta2, eps, weight_decay; int64_t step; } pdd_adam_options;
pdd_status pdd_adam(pdd_adam_options o, pdd_tensor *params, pdd_tensor *grads, pdd_tensor *m, pdd_tensor *v, int n);
pdd_status pdd_ema(double decay, pdd_tensor *averages, pdd_tensor *params, int n);

// What convolutions run in beside libtorch: a pdd_winograd (../conv/winograd.h), for an instruction set; 0 for none.
void pdd_set_conv_kernels(const void *table, int isa);

// TorchScript: a file is code, trusted by the caller.
pdd_status pdd_module_load(const char *path, int cuda, pdd_module *out);
pdd_status pdd_module_forward(pdd_module m, pdd_mode mode, pdd_tensor x, pdd_tensor *out);
void pdd_module_free(pdd_module m);

// CUDA devices, by their index.
typedef struct { int64_t live, peak; } pdd_memory;  // bytes of all tensors, now and at most since the last reset
pdd_status pdd_cuda_devices(int *n);
void pdd_cuda_tune(void);                  // cudnn.benchmark: for each new size of a convolution its fastest algorithm
void pdd_cuda_repeatable(int on);          // equal results in every run; while it is on, pdd_cuda_tune does nothing
void pdd_cuda_allow_tf32(void);            // in products of float32; without this call they are exact
pdd_status pdd_cuda_own_stream(int cuda);  // for the calling OS thread, from now on
pdd_status pdd_cuda_wait(int cuda);        // for what threads without a stream of their own have begun
pdd_status pdd_cuda_memory(int cuda, pdd_memory *m);  // leaves *m where this libtorch cannot tell, before 2.11
pdd_status pdd_cuda_reset_peak(int cuda);

// The process.
pdd_status pdd_set_threads(int n);  // of the calling OS thread
int pdd_get_threads(void);
uintptr_t pdd_thread_id(void);      // differs between live OS threads
const char *pdd_compiled_version(void);
pdd_status pdd_runtime_config(char **text);  // at::show_config(), freed by the caller
int pdd_cpu_bfloat16(void);  // the CPU multiplies bfloat16 in hardware
int64_t pdd_live_tensors(void);
int64_t pdd_live_bytes(void);
int64_t pdd_peak_bytes(void);
void pdd_reset_peak_bytes(void);
int64_t pdd_thread_bytes(void);  // taken minus released by the calling OS thread
int64_t pdd_thread_peak_bytes(void);
void pdd_reset_thread_peak_bytes(void);
void pdd_set_allocation_limit(int64_t bytes);  // live bytes above it fail with PDD_NO_MEMORY; 0: none
void pdd_trim(void);                           // gives free heap pages back to the system

#ifdef __cplusplus
}
#endif
