// Package metrics measures pictures the way the super-resolution field does: [PSNR] and [SSIM] against a ground truth,
// [NIQE], [NRQM] and the perceptual index [PI] without one, [Sharpness], and the divergence between the low-level
// features of two sets of pictures ([FeatureKL], [Project]).
//
// Results equal those of pyiqa and BasicSR; where the two differ, or papers use several conventions, the convention is
// a parameter ([Convention], [Color]) whose name reports carry. Everything is pure Go, works on [image.Image], runs on
// all processors inside one call and may be called from many goroutines. Learned metrics that need a network (LPIPS)
// are not here: they live in metrics/lpips. Folders are measured by metrics/report.
//
//	psnr, err := metrics.PSNR(result, truth, metrics.Convention{Impl: metrics.BasicSR, Color: metrics.YBT601, Crop: 4})
//
// # Odd pictures
//
// All metrics treat these alike:
//
//   - Pictures of different sizes, smaller than a metric's window or with nothing left inside the crop are errors.
//   - Samples of a [Planar] that are NaN or infinite are errors. No result is NaN.
//   - Equal pictures: PSNR is 80 dB by pyiqa's convention and +Inf by BasicSR's, SSIM is 1.
//   - Constant pictures are fine for PSNR and SSIM (constant against another constant: SSIM's luminance factor). NIQE
//     and NRQM have nothing to measure in them and return an error.
//   - Alpha is ignored: the colours of the pixels are compared, un-premultiplied, whatever their opacity.
//   - 16-bit pictures keep their precision: a sample v counts as v/257 in 0..255.
//   - Gray pictures are colour pictures with R = G = B, as pyiqa and BasicSR read such files. Only a [Planar] of one
//     plane is taken as luma itself.
//
// The At method of image types that this package does not know is called from several goroutines.
package metrics
