#include "process_group.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cstdlib>
#include <vector>

#include "engine.h"
#include "guard.h"

using at::Tensor;
using pdd::deref;

namespace {

using Store = c10::intrusive_ptr<c10d::TCPStore>;

c10d::TCPStore &store(pdd_store s) { return **static_cast<Store *>(s); }

std::vector<uint8_t> bytes(const void *value, int64_t n) {
  auto *p = static_cast<const uint8_t *>(value);
  return {p, p + n};
}

void hand_out(const std::vector<uint8_t> &v, char **value, int64_t *n) {
  *value = static_cast<char *>(malloc(v.size() + 1));  // never of 0 bytes
  if (!*value) throw std::bad_alloc();
  memcpy(*value, v.data(), v.size());
  *n = static_cast<int64_t>(v.size());
}

}  // namespace

pdd_status pdd_store_open(const char *host, int port, int serve, int64_t timeout_ms, pdd_store *out, int *bound) {
  return pdd::guarded([&] {
    c10d::TCPStoreOptions o;
    o.port = static_cast<uint16_t>(port);
    o.isServer = serve != 0;
    o.waitWorkers = false;
    o.timeout = std::chrono::milliseconds(timeout_ms);
    auto s = std::make_unique<Store>(c10::make_intrusive<c10d::TCPStore>(host, o));
    *bound = (*s)->getPort();
    *out = s.release();
  });
}

void pdd_store_close(pdd_store s) {
  (void)pdd::guarded([&] { delete static_cast<Store *>(s); });
}

pdd_status pdd_store_set(pdd_store s, const char *key, const void *value, int64_t n) {
  return pdd::guarded([&] { store(s).set(key, bytes(value, n)); });
}

pdd_status pdd_store_get(pdd_store s, const char *key, int *there, char **value, int64_t *n) {
  return pdd::guarded([&] {
    *there = store(s).check({key});
    if (*there) hand_out(store(s).get(key), value, n);
  });
}

pdd_status pdd_store_first(pdd_store s, const char *key, const void *value, int64_t n, char **kept, int64_t *kept_n) {
  return pdd::guarded([&] { hand_out(store(s).compareSet(key, {}, bytes(value, n)), kept, kept_n); });
}

pdd_status pdd_bit_sums(pdd_tensor *ts, int n, int64_t *sums) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    for (int k = 0; k < n; k++) {
      Tensor t = deref(ts[k]).detach();
      at::ScalarType bits = t.element_size() == 8 ? at::kLong : t.element_size() == 4 ? at::kInt : t.element_size() == 2 ? at::kShort : at::kByte;
      sums[k] = t.view(bits).sum(at::kLong).item<int64_t>();
    }
  });
}

namespace {

pdd::Engine &engine(pdd_group g) { return *static_cast<pdd::Engine *>(g); }

// Bucket is a run of tensors that travel as one, on the engine's device.
struct Bucket {
  std::vector<Tensor> tensors;
  Tensor flat;
  c10::intrusive_ptr<c10d::Work> work;

  void flatten(at::Device device) {
    std::vector<Tensor> rows;
    for (const Tensor &t : tensors) rows.push_back(t.reshape(-1));
    flat = at::cat(rows).to(device);
  }
  void unflatten() {
    int64_t from = 0;
    for (Tensor &t : tensors) {
      t.copy_(flat.narrow(0, from, t.numel()).view(t.sizes()));
      from += t.numel();
    }
  }
};

struct Work {
  const pdd::Engine &engine;
  std::vector<Bucket> buckets;
  std::vector<Tensor> gathered;
};

// Cuts the list where a bucket has its bytes, or the type or device changes.
std::vector<Bucket> buckets(pdd_tensor *ts, int n, int64_t most) {
  std::vector<Bucket> list;
  int64_t size = 0;
  for (int k = 0; k < n; k++) {
    Tensor t = deref(ts[k]).detach();
    int64_t bytes = static_cast<int64_t>(t.nbytes());
    if (list.empty() || size + bytes > most || t.options().dtype() != list.back().tensors[0].options().dtype() ||
        t.device() != list.back().tensors[0].device()) {
      list.emplace_back();
      size = 0;
    }
    list.back().tensors.push_back(t);
    size += bytes;
  }
  return list;
}

template <class F>
pdd_status start(pdd_group g, pdd_tensor *ts, int n, int64_t bucket, pdd_work *out, F operation) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    auto w = std::make_unique<Work>(Work{engine(g), buckets(ts, n, bucket), {}});
    for (Bucket &b : w->buckets) {
      b.flatten(w->engine.device);
      std::vector<Tensor> one{b.flat};
      b.work = operation(*w->engine.backend, one);
    }
    *out = w.release();
  });
}

}  // namespace

pdd_status pdd_group_open(pdd_store s, const pdd_group_options *o, pdd_group *out) {
  return pdd::guarded([&] { *out = new pdd::Engine(pdd::open_engine(*static_cast<Store *>(s), *o)); });
}

pdd_status pdd_group_close(pdd_group g) {
  return pdd::guarded([&] {
    std::unique_ptr<pdd::Engine> e(static_cast<pdd::Engine *>(g));
    if (e) e->close();
  });
}

pdd_status pdd_broadcast(pdd_group g, int root, pdd_tensor *ts, int n, int64_t bucket, pdd_work *out) {
  return start(g, ts, n, bucket, out, [&](pdd::Backend &backend, std::vector<Tensor> &one) {
    c10d::BroadcastOptions o;
    o.rootRank = root;
    return backend.broadcast(one, o);
  });
}

pdd_status pdd_all_reduce(pdd_group g, pdd_tensor *ts, int n, int64_t bucket, pdd_work *out) {
  return start(g, ts, n, bucket, out, [](pdd::Backend &backend, std::vector<Tensor> &one) { return backend.allreduce(one); });
}

pdd_status pdd_all_gather(pdd_group g, pdd_tensor t, pdd_tensor *out, int n, pdd_work *work) {
  return pdd::guarded([&] {
    auto w = std::make_unique<Work>(Work{engine(g), {}, {}});
    std::vector<Tensor> in{deref(t).detach().contiguous().to(w->engine.device)};
    std::vector<std::vector<Tensor>> outs(1);
    for (int k = 0; k < n; k++) outs[0].push_back(at::empty_like(in[0]));
    w->buckets.resize(1);
    w->buckets[0].flat = in[0];
    w->buckets[0].work = w->engine.backend->allgather(outs, in);
    w->gathered = outs[0];
    for (int k = 0; k < n; k++) out[k] = pdd::hand_out(outs[0][k]);
    *work = w.release();
  });
}

pdd_status pdd_work_wait(pdd_work w) {
  return pdd::guarded([&] {
    for (Bucket &b : static_cast<Work *>(w)->buckets) static_cast<Work *>(w)->engine.wait(*b.work);
  });
}

pdd_status pdd_work_finish(pdd_work w) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    for (Bucket &b : static_cast<Work *>(w)->buckets) b.unflatten();
  });
}

void pdd_work_free(pdd_work w) {
  (void)pdd::guarded([&] { delete static_cast<Work *>(w); });
}
