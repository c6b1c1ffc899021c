// Operation codes of pdd_call. Beside each: its tensors; integers; numbers. Implemented in call.cc.
#pragma once

enum pdd_op {
  // elementwise
  PDD_ADD,         // a b; ; alpha
  PDD_MUL,         // a b
  PDD_DIV,         // a b
  PDD_ADD_SCALAR,  // a; ; number
  PDD_MUL_SCALAR,  // a; ; number
  PDD_POW,         // a; ; exponent
  PDD_ABS,         // a
  PDD_SQRT,        // a
  PDD_EXP,         // a
  PDD_LOG,         // a
  PDD_SIGMOID,     // a
  PDD_SOFTPLUS,    // a
  PDD_RELU,        // a
  PDD_LEAKY_RELU,  // a; ; slope
  PDD_PRELU,       // a weight
  PDD_CLAMP,       // a; ; min max
  PDD_ADDCMUL_,    // a b c; ; value    a += value*b*c, in place
  PDD_AXPY_,       // a b; ; alpha      a += alpha*b, in place
  PDD_SCALE_,      // a; ; number       a *= number, in place
  PDD_COPY_,       // a b               a = b, in place
  PDD_FILL_,       // a; ; number
  // reductions
  PDD_SUM,       // a; keepdim, dims...   no dims: all
  PDD_MEAN,      // a; keepdim, dims...
  PDD_STD,       // a; unbiased, keepdim, dims...
  PDD_NORM,      // a; keepdim, dims...   Euclidean; its gradient at 0 is 0
  PDD_ALLFINITE, // a -> bool scalar
  PDD_NORM_ALL,  // a... -> scalar   Euclidean, over the elements of all
  PDD_MAX,       // a -> scalar
  // linear algebra, softmax
  PDD_MATMUL,       // a b
  PDD_SOFTMAX,      // a; dim
  PDD_LOG_SOFTMAX,  // a; dim
  PDD_BCE_LOGITS,   // logits; ; target   mean over all elements
  // losses, see losses.h
  PDD_MSE,         // a b
  PDD_ABS_DIFF,    // a b
  PDD_GRAM,        // a [b]
  PDD_CHANNEL_CE,  // x target; ; eps
  // shape
  PDD_CAT,              // a...; dim
  PDD_NARROW,           // a; dim start length
  PDD_SLICE,            // a; dim start stop step
  PDD_RESHAPE,          // a; sizes...
  PDD_PERMUTE,          // a; order...
  PDD_CONTIGUOUS,       // a; channels_last
  PDD_PAD,              // a; mode left right top bottom; value   mode 0 constant, 1 reflect, 2 replicate
  PDD_PIXEL_SHUFFLE,    // a; factor
  PDD_PIXEL_UNSHUFFLE,  // a; factor
  PDD_INTERPOLATE,      // a; mode h w antialias; scale_h scale_w   scale 0: from the sizes
  PDD_TWICE,            // a   bilinear, both sides twice as long: what PDD_INTERPOLATE does for pdd_cuda_repeatable
  // networks
  PDD_CONV2D,       // x w [b]; stride pad dilation groups
  PDD_CONV2D_LEAKY, // x w [b]; stride pad; slope   convolution, then LeakyReLU in place
  PDD_DENSE_BLOCK,  // x w... b...; convolutions; slope scale   see conv.h
  PDD_MAX_POOL2D,   // x; kernel stride ceil_mode
  // making and moving
  PDD_FULL,      // ; dtype cuda sizes...; number
  PDD_EMPTY,     // ; dtype cuda sizes...           elements of any value
  PDD_RAND,      // ; dtype cuda seed sizes...    uniform in [0,1)
  PDD_RANDN,     // ; dtype cuda seed sizes...
  PDD_TO,        // a; dtype (0: keep) cuda (-2: keep, -1: CPU)
  PDD_CLONE,     // a
  PDD_DETACH,    // a
  PDD_REQUIRES_GRAD_,  // a; on -> the same tensor as a leaf
  PDD_ZERO_GRAD_,      // a...   drops the gradients
  PDD_FROM_BYTES,      // u8 [h,w,c] -> float32 [1,c,h,w] in [0,1]
  PDD_TO_BYTES,        // [1,c,h,w] -> u8 [h,w,c], clamped, rounded half to even
  PDD_OP_COUNT
};
