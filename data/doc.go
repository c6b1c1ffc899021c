// Package data brings pictures from disk to training batches: datasets, crops, resampling, degradations and a
// deterministic parallel loader.
//
// It works on [Image], planar float32 samples in [0, 1], and is pure Go: nothing here knows tensors, networks or a
// device. Package pdd feeds its trainer from a [Loader]; cmd/pdd uses the same functions for its degrade and data
// commands; programs use the resampling and the degradations by themselves:
//
//	lr, err := data.Resize(hr, 0.25, data.Bicubic) // MATLAB's imresize
//
// All randomness comes from a seed and the position of a sample, never from a global generator or from timing: what a
// loader yields depends on (seed, epoch, index) alone.
package data
