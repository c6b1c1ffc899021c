// Package conv runs 3×3 convolutions of stride 1 on x86-64 CPUs.
//
// In float32, with AVX2 and FMA or, better, AVX-512, by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray 2016, arXiv
// 1509.09308): a quarter of the multiplications of the direct way, for results that differ from it by some 1e-6 of the
// largest values among the 6×6 pixels around a tile of 4×4: like two orders of summation where the pixels are of one
// size, more for small results beside a much larger pixel. A number that is not finite makes the whole tile of 4×4
// results NaN that any of them would be not finite in. Derivatives, for the input and for the filters, are computed by
// the transposes of the same transforms.
//
// In bfloat16, with AMX on Linux, directly: what is multiplied has 8 binary digits, sums and what is added to them are
// float32. Each pixel's result is the same bits wherever the picture is cut. A number that is not finite, or above 3.39e38,
// makes those results not finite that see it.
//
// What follows a convolution in a network (bias, LeakyReLU or PReLU, residual sums) happens while its result is in
// registers; what precedes it (concatenation, nearest enlargement) happens while its input is read.
//
// The package knows no network and no tensor: memory comes from the caller, as addresses outside of Go's heap. Package
// models builds its fast networks for inference of it; package libtorch calls it, by [Table], for the convolutions of
// training.
package conv
