// Package losses has the loss functions of "Pairwise Distance Distillation for Unsupervised Real-World Image
// Super-Resolution" (Zhang, Lee, Yao; ECCV 2024) and those it builds on, as functions on images and features. There is
// no network inside: the features come from the caller, by the names of their layers.
//
//	feat := vgg.Forward(s, x, layers.Names()...)
//	loss := s.MulScalar(losses.Perceptual(s, feat, target, layers, losses.DistanceL1), weight)
//	s.Backward(loss)
//
// Every function gives a scalar (shape []) without a weight, which the caller multiplies. It is differentiable in all
// its tensors, and where an absolute value or a norm has a kink at 0 the gradient there is 0, never NaN. The names
// follow the paper: S is the specialist, which learns, G the generalist; U are unlabelled images, L labelled ones.
//
// Images and features are [N,C,H,W] of any memory layout. Half precision (bfloat16, float16) is widened to float32
// first and autocast is off inside, so sums, softmaxes and Gram matrices never lose digits; the gradients come back in
// the inputs' type. Float64 stays.
//
// Like all tensor mathematics the functions panic with a *tensor.Error, which tensor.Do turns into an error, for shapes
// that do not fit. They hold no state; the scope says which goroutine may use the results.
package losses
