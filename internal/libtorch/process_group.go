package libtorch

/*
#include <stdlib.h>
#include "process_group.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// Store is a c10d::TCPStore, Group a c10d::ProcessGroupGloo or ProcessGroupNCCL, and Work some of its operations under
// way. Their functions may be called from any OS thread, and block it.
type (
	Store = unsafe.Pointer
	Group = unsafe.Pointer
	Work  = unsafe.Pointer
)

// OpenStore serves a store at a port of this machine, 0 for a free one, or connects to one, and returns the port.
func OpenStore(host string, port int, serve bool, timeout time.Duration) (s Store, bound int, err error) {
	h := C.CString(host)
	defer C.free(unsafe.Pointer(h))
	var out C.pdd_store
	var p C.int
	st := C.pdd_store_open(h, C.int(port), flag(serve), C.int64_t(timeout.Milliseconds()), &out, &p)
	return Store(out), int(p), check(st)
}

// CloseStore ends a store; nil is allowed.
func CloseStore(s Store) { C.pdd_store_close(C.pdd_store(s)) }

// StoreSet sets a key.
func StoreSet(s Store, key, value string) error {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	return check(C.pdd_store_set(C.pdd_store(s), k, unsafe.Pointer(unsafe.StringData(value)), C.int64_t(len(value))))
}

// StoreGet reads a key and tells whether it has a value. It does not wait for one.
func StoreGet(s Store, key string) (value string, there bool, err error) {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	var found C.int
	var text *C.char
	var n C.int64_t
	if err := check(C.pdd_store_get(C.pdd_store(s), k, &found, &text, &n)); err != nil || found == 0 {
		return "", false, err
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(n)), true, nil
}

// StoreFirst sets a key that has no value yet, and returns the value it has then.
func StoreFirst(s Store, key, value string) (kept string, err error) {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	var text *C.char
	var n C.int64_t
	st := C.pdd_store_first(C.pdd_store(s), k, unsafe.Pointer(unsafe.StringData(value)), C.int64_t(len(value)), &text, &n)
	if err := check(st); err != nil {
		return "", err
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoStringN(text, C.int(n)), nil
}

// GroupEngine is what moves tensors between processes in this build, on CUDA devices or the CPU: gloo, nccl, or nothing
// and the reason.
func GroupEngine(cuda bool) (name, missing string) {
	c := flag(cuda)
	return C.GoString(C.pdd_group_engine(c)), C.GoString(C.pdd_group_missing(c))
}

// GroupOptions say how a rank joins its group.
type GroupOptions struct {
	Rank, Size int
	Host       string        // an address of this machine that the others reach
	Interface  string        // network interface; empty: any
	Timeout    time.Duration // of each operation
	CUDA       int           // device of the tensors, -1: the CPU
}

// OpenGroup joins the group of all ranks of a store.
func OpenGroup(s Store, o GroupOptions) (Group, error) {
	host := C.CString(o.Host)
	defer C.free(unsafe.Pointer(host))
	iface := C.CString(o.Interface)
	defer C.free(unsafe.Pointer(iface))
	options := C.pdd_group_options{rank: C.int(o.Rank), size: C.int(o.Size), host: host, iface: iface,
		timeout_ms: C.int64_t(o.Timeout.Milliseconds()), cuda: C.int(o.CUDA)}
	var out C.pdd_group
	st := C.pdd_group_open(C.pdd_store(s), &options, &out)
	return Group(out), check(st)
}

// CloseGroup leaves a group when its operations have ended, those of the others too where NCCL moves tensors; nil is
// allowed.
func CloseGroup(g Group) error { return check(C.pdd_group_close(C.pdd_group(g))) }

// Broadcast starts to overwrite tensors with rank root's, in buckets of so many bytes.
func Broadcast(g Group, root int, ts []Handle, bucket int64) (Work, error) {
	var out C.pdd_work
	st := C.pdd_broadcast(C.pdd_group(g), C.int(root), handles(ts), C.int(len(ts)), C.int64_t(bucket), &out)
	return Work(out), check(st)
}

// AllReduce starts to overwrite tensors with their sums over all ranks, in buckets of so many bytes.
func AllReduce(g Group, ts []Handle, bucket int64) (Work, error) {
	var out C.pdd_work
	st := C.pdd_all_reduce(C.pdd_group(g), handles(ts), C.int(len(ts)), C.int64_t(bucket), &out)
	return Work(out), check(st)
}

// AllGather starts to fetch the tensor of each of size ranks, all of one shape.
func AllGather(g Group, t Handle, size int) ([]Handle, Work, error) {
	out := make([]Handle, size)
	var w C.pdd_work
	st := C.pdd_all_gather(C.pdd_group(g), C.pdd_tensor(t), handles(out), C.int(size), &w)
	return out, Work(w), check(st)
}

// WaitWork waits for operations to end.
func WaitWork(w Work) error { return check(C.pdd_work_wait(C.pdd_work(w))) }

// FinishWork brings the results of ended operations into their tensors.
func FinishWork(w Work) error { return check(C.pdd_work_finish(C.pdd_work(w))) }

// FreeWork frees ended operations; nil is allowed.
func FreeWork(w Work) { C.pdd_work_free(C.pdd_work(w)) }

// BitSums are sums of the tensors' bits as integers: equal tensors have equal ones, whatever their layout.
func BitSums(ts []Handle) ([]int64, error) {
	sums := make([]int64, len(ts))
	st := C.pdd_bit_sums(handles(ts), C.int(len(ts)), (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(sums))))
	return sums, check(st)
}
