// Processes that work together: libtorch's c10d. A store is a TCPStore, a group a ProcessGroupGloo or ProcessGroupNCCL, a
// work some of its collective operations under way. Every function may be called from any thread.
#pragma once
#include "shim.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *pdd_store;
typedef void *pdd_group;
typedef void *pdd_work;

// A store is kept by the process that serves it; *port is the one it listens to where port is 0.
pdd_status pdd_store_open(const char *host, int port, int serve, int64_t timeout_ms, pdd_store *out, int *bound);
void pdd_store_close(pdd_store s);
pdd_status pdd_store_set(pdd_store s, const char *key, const void *value, int64_t n);
// *there tells whether the key has a value; *value is freed by the caller.
pdd_status pdd_store_get(pdd_store s, const char *key, int *there, char **value, int64_t *n);
// Sets the key unless it has a value, and gives the value it has then, freed by the caller.
pdd_status pdd_store_first(pdd_store s, const char *key, const void *value, int64_t n, char **kept, int64_t *kept_n);

// What moves tensors in this build, on CUDA devices (1) or the CPU (0): "gloo", "nccl", or "" and what is missing. Gloo
// moves those of CUDA devices through the CPU's memory.
const char *pdd_group_engine(int cuda);
const char *pdd_group_missing(int cuda);

typedef struct {
  int rank, size;
  const char *host;       // an address of this machine that the others reach
  const char *iface;      // the network interface to use, "": any
  int64_t timeout_ms;     // of each operation
  int cuda;               // device of the tensors, -1: the CPU
} pdd_group_options;
// Opening is collective; closing waits for operations of the others that this one has its share in.
pdd_status pdd_group_open(pdd_store s, const pdd_group_options *o, pdd_group *out);
pdd_status pdd_group_close(pdd_group g);

// Collective operations start here and go on in threads of the group; their tensors are held until pdd_work_free.
pdd_status pdd_broadcast(pdd_group g, int root, pdd_tensor *ts, int n, int64_t bucket, pdd_work *out);
pdd_status pdd_all_reduce(pdd_group g, pdd_tensor *ts, int n, int64_t bucket, pdd_work *out);  // the sum
pdd_status pdd_all_gather(pdd_group g, pdd_tensor t, pdd_tensor *out, int n, pdd_work *work);  // out[rank], of t's shape
pdd_status pdd_work_wait(pdd_work w);    // blocks
pdd_status pdd_work_finish(pdd_work w);  // after waiting: brings the results into the tensors
void pdd_work_free(pdd_work w);

// Sums of the tensors' bits as integers, equal for equal tensors whatever their layout; out is int64 [n] on the CPU.
pdd_status pdd_bit_sums(pdd_tensor *ts, int n, int64_t *sums);

#ifdef __cplusplus
}
#endif
