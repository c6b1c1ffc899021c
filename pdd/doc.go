// Package pdd upscales pictures with super-resolution networks: in Go services, in scripts of researchers, behind the
// command line of cmd/pdd. It is not an image codec (bring an image.Image) and not a tensor library (see package
// tensor).
//
//	up, err := pdd.NewUpscaler(pdd.WithWeights("RealESRGAN_x4plus.pth"))
//	if err != nil {
//		return err
//	}
//	defer up.Close()
//	big, err := up.Upscale(ctx, photo)
//
// An [Upscaler] is safe for any number of goroutines: their tiles take turns on one worker thread, which uses all
// cores inside an operation. Every public function returns errors; nothing panics.
package pdd
