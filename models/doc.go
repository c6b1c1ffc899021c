// Package models holds the networks of super-resolution and reads their weights: the generators RRDBNet and
// SRVGGNetCompact, any TorchScript module as a generator, the feature extractors VGG19, VGG16, AlexNet and
// SqueezeNet 1.1, and the U-Net discriminator.
//
// It is not an image library and knows no training: it maps tensors to tensors. Package pdd upscales images and trains
// with it; losses and metrics use the feature extractors' results.
//
//	g, err := models.Load("RealESRGAN_x4plus.pth")
//	if err != nil { ... }
//	defer g.Close()
//	err = tensor.Do(ctx, func(s *tensor.Scope) error {
//		y := g.Forward(s.NoGrad(), s.FromFloat32s(pixels, 1, 3, h, w)) // [1, 3, 4h, 4w]
//		s.ReadFloat32s(y, out)
//		return nil
//	})
//
// # Errors, ownership, goroutines
//
// Forward is tensor mathematics: it panics with a *tensor.Error, which tensor.Do turns into an error. All else returns
// errors. A network owns its parameters until Close; what Forward returns belongs to the given scope. Forward reads
// the parameters only, so any number of goroutines may call it at a time, each with its own scope, except for
// [UNetDiscriminator.ForwardTrain]. Whoever closes or trains a network waits for them first. Forward of a closed
// network is an error.
//
// Equal networks give bit-equal outputs for equal inputs on the same machine with the same number of threads.
package models
