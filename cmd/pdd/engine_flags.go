package main

import "runtime"

// engineFlags are the settings of networks that pdd upscale, eval and compare share.
type engineFlags struct {
	Device           string   `default:"cpu" placeholder:"cpu" help:"Where networks run: cpu, cuda:0, …"`
	Tile             *int     `placeholder:"N" help:"Tile side in pixels of the input; 0 for the whole image at once. Default: as memory allows."`
	Overlap          *int     `placeholder:"N" help:"Overlap of tiles in pixels of the input, with --tile. Default: the network's."`
	Threads          int      `placeholder:"N" help:"CPU threads. Default: all cores."`
	MemoryLimit      byteSize `placeholder:"SIZE" help:"Memory to stay below, like 2GiB. Default: what the control group allows."`
	AllowTorchScript bool     `name:"allow-torchscript" help:"Run TorchScript weights. They are programs: only for files you trust."`
}

// measuredFlags are the settings of networks whose results are measured.
type measuredFlags struct {
	engineFlags
	Precision       string `default:"float32" enum:"auto,float32,bfloat16,float16,tf32" help:"float32, as validation in training; auto as pdd upscale; bfloat16, float16 or tf32 (the last for CUDA devices)."`
	ColorCorrection bool   `help:"Give what networks make the mean colours and contrast of its input."`
}

// config is how an engine of the weights is made.
func (f engineFlags) config(weights, precision string) engineConfig {
	return engineConfig{Weights: weights, Device: f.Device, Precision: precision, Tile: f.Tile, Overlap: f.Overlap,
		Threads: f.Threads, MemoryLimit: int64(f.MemoryLimit), AllowTorchScript: f.AllowTorchScript}
}

// validate refuses wrong usage, before anything is read.
func (f engineFlags) validate(precision string) error {
	switch {
	case f.Overlap != nil && f.Tile == nil:
		return usagef("--overlap needs --tile")
	case f.Tile != nil && *f.Tile < 0 || f.Overlap != nil && *f.Overlap < 0:
		return usagef("--tile and --overlap cannot be negative")
	case f.Threads < 0 || f.Threads > runtime.NumCPU(): // more threads than cores wait for each other, at length
		return usagef("--threads %d: must be 1 to %d, the cores of this machine", f.Threads, runtime.NumCPU())
	case !deviceName.MatchString(f.Device):
		return usagef("--device %s: must be cpu, cuda or cuda:N", f.Device)
	}
	return f.config("", precision).check()
}
