// Package pdd upscales pictures with super-resolution networks, and adapts such networks to the pictures of one camera or
// source without ground truth: in Go services, in scripts of researchers, behind the command line of cmd/pdd. It is not
// an image codec (bring an image.Image) and not a tensor library (see package tensor).
//
//	up, err := pdd.NewUpscaler(pdd.WithWeights("RealESRGAN_x4plus.pth"))
//	if err != nil {
//		return err
//	}
//	defer up.Close()
//	big, err := up.Upscale(ctx, photo)
//
// An [Upscaler] is safe for any number of goroutines: their tiles take turns on one worker thread, which uses all
// cores inside an operation.
//
// A [Trainer] is the method of "Pairwise Distance Distillation for Unsupervised Real-World Image Super-Resolution"
// (Zhang, Lee, Yao; ECCV 2024):
//
//	cfg := pdd.EMA() // or Static, SingleFixed, Naive, Supervised, and what differs from them
//	cfg.Data.HR, cfg.Data.Unlabelled = []string{"sharp"}, []string{"camera"}
//	cfg.Output.Dir = "run"
//	t, err := pdd.NewTrainer(cfg)
//	if err != nil {
//		return err
//	}
//	defer t.Close()
//	err = t.Run(ctx) // or t.Step(ctx, batch)
//
// One step is told by step.go in the paper's order. Every public function returns errors; nothing panics.
package pdd
