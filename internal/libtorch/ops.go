package libtorch

// #include "ops.h"
import "C"

// Op is an operation of [Call]; ops.h lists the arguments of each.
type Op int

const (
	OpAdd                 Op = C.PDD_ADD
	OpMul                 Op = C.PDD_MUL
	OpDiv                 Op = C.PDD_DIV
	OpAddScalar           Op = C.PDD_ADD_SCALAR
	OpMulScalar           Op = C.PDD_MUL_SCALAR
	OpPow                 Op = C.PDD_POW
	OpAbs                 Op = C.PDD_ABS
	OpSqrt                Op = C.PDD_SQRT
	OpExp                 Op = C.PDD_EXP
	OpLog                 Op = C.PDD_LOG
	OpSigmoid             Op = C.PDD_SIGMOID
	OpSoftplus            Op = C.PDD_SOFTPLUS
	OpReLU                Op = C.PDD_RELU
	OpLeakyReLU           Op = C.PDD_LEAKY_RELU
	OpPReLU               Op = C.PDD_PRELU
	OpClamp               Op = C.PDD_CLAMP
	OpAddcmulInPlace      Op = C.PDD_ADDCMUL_
	OpAxpyInPlace         Op = C.PDD_AXPY_
	OpScaleInPlace        Op = C.PDD_SCALE_
	OpCopyInPlace         Op = C.PDD_COPY_
	OpFillInPlace         Op = C.PDD_FILL_
	OpSum                 Op = C.PDD_SUM
	OpMean                Op = C.PDD_MEAN
	OpStd                 Op = C.PDD_STD
	OpNorm                Op = C.PDD_NORM
	OpAllFinite           Op = C.PDD_ALLFINITE
	OpNormAll             Op = C.PDD_NORM_ALL
	OpMax                 Op = C.PDD_MAX
	OpMatmul              Op = C.PDD_MATMUL
	OpSoftmax             Op = C.PDD_SOFTMAX
	OpLogSoftmax          Op = C.PDD_LOG_SOFTMAX
	OpBCELogits           Op = C.PDD_BCE_LOGITS
	OpMSE                 Op = C.PDD_MSE
	OpAbsDiff             Op = C.PDD_ABS_DIFF
	OpGram                Op = C.PDD_GRAM
	OpChannelCE           Op = C.PDD_CHANNEL_CE
	OpCat                 Op = C.PDD_CAT
	OpNarrow              Op = C.PDD_NARROW
	OpSlice               Op = C.PDD_SLICE
	OpReshape             Op = C.PDD_RESHAPE
	OpPermute             Op = C.PDD_PERMUTE
	OpContiguous          Op = C.PDD_CONTIGUOUS
	OpPad                 Op = C.PDD_PAD
	OpPixelShuffle        Op = C.PDD_PIXEL_SHUFFLE
	OpPixelUnshuffle      Op = C.PDD_PIXEL_UNSHUFFLE
	OpInterpolate         Op = C.PDD_INTERPOLATE
	OpTwice               Op = C.PDD_TWICE
	OpConv2D              Op = C.PDD_CONV2D
	OpConv2DLeaky         Op = C.PDD_CONV2D_LEAKY
	OpDenseBlock          Op = C.PDD_DENSE_BLOCK
	OpMaxPool2D           Op = C.PDD_MAX_POOL2D
	OpFull                Op = C.PDD_FULL
	OpEmpty               Op = C.PDD_EMPTY
	OpRand                Op = C.PDD_RAND
	OpRandN               Op = C.PDD_RANDN
	OpTo                  Op = C.PDD_TO
	OpClone               Op = C.PDD_CLONE
	OpDetach              Op = C.PDD_DETACH
	OpRequiresGradInPlace Op = C.PDD_REQUIRES_GRAD_
	OpZeroGradInPlace     Op = C.PDD_ZERO_GRAD_
	OpFromBytes           Op = C.PDD_FROM_BYTES
	OpToBytes             Op = C.PDD_TO_BYTES
)
