// Package libtorch is the only package of this module that imports "C". It calls the C++ shim beside it, which calls
// libtorch, and has no opinions: no lifetimes, no modes of its own, no panics. Package tensor gives it a meaning.
//
// A [Handle] is an at::Tensor* on the C++ heap, the representation github.com/wangkuiyi/gotorch uses, so both can work
// on the same values. Whoever gets a Handle from this package frees it once with [Free].
//
// The shim is compiled by cgo with the flags of a pkg-config file that third_party/setup.sh writes: if pkg-config, the
// compiler or the linker stops here, run that script. No C++ exception leaves the shim; errors come back as [*Error].
package libtorch
