package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/builtin"
	"github.com/gopdd/gopdd/internal/weightfile"
)

type benchCmd struct {
	Weights   string        `placeholder:"NAME|FILE" help:"A name of the catalogue (see pdd weights list) or a weight file. Default: the built-in model."`
	Size      []pixelSize   `default:"128x128,256x256" placeholder:"WxH" help:"Sizes of the input in pixels. Default: ${default}."`
	Precision string        `default:"auto" enum:"auto,float32,bfloat16,float16,tf32" help:"auto, float32, bfloat16, float16 or tf32 (the last for CUDA devices)."`
	Device    string        `default:"cpu" placeholder:"cpu" help:"cpu, cuda:0, …"`
	Threads   int           `placeholder:"N" help:"CPU threads. Default: all cores."`
	Runs      int           `default:"5" placeholder:"N" help:"Timed forward passes of each size, after one that is not. Default: ${default}."`
	Callers   []int         `placeholder:"N" help:"Also let so many goroutines at a time call one Upscaler, with pictures of all the sizes in turn, and tell throughput and latency."`
	For       time.Duration `default:"10s" placeholder:"10s" help:"How long each number of callers calls. Default: ${default}."`
	JSON      bool          `name:"json" help:"Print JSON."`
}

// Help stands below the flags.
func (benchCmd) Help() string {
	return `GFLOP counts the multiplications and additions of the network's convolutions computed directly, and GFLOP/s divides
them by the best time. The peak is that of a large product of matrices in the same precision on the same threads.
Kernels by Winograd's minimal filtering multiply less often than the count says: their share may exceed 100 %.
MiB is the peak of all tensors, weights included.`
}

// pixelSize is the size of a picture on the command line and in JSON: 640x360.
type pixelSize struct{ W, H int }

var sizeText = regexp.MustCompile(`^([1-9][0-9]{0,4})x([1-9][0-9]{0,4})$`)

// UnmarshalText reads WIDTHxHEIGHT.
func (p *pixelSize) UnmarshalText(text []byte) error {
	m := sizeText.FindSubmatch(text)
	if m == nil {
		return fmt.Errorf("%q is no size: write it like 640x360, up to 99999 pixels a side", text)
	}
	p.W, _ = strconv.Atoi(string(m[1]))
	p.H, _ = strconv.Atoi(string(m[2]))
	return nil
}

// MarshalText writes WIDTHxHEIGHT.
func (p pixelSize) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func (p pixelSize) String() string { return fmt.Sprintf("%dx%d", p.W, p.H) }

// benchReport is what a benchmark found.
type benchReport struct {
	CPU     string          `json:"cpu"`
	Cores   int             `json:"cores"`
	Network string          `json:"network"`
	Weights string          `json:"weights,omitempty"` // absent: the built-in model
	Runs    benchSurrounds  `json:"runs_on"`
	Forward []forwardTiming `json:"forward"`
	Service []serviceTiming `json:"service,omitempty"`
}

// benchSurrounds is what forward passes run on.
type benchSurrounds struct {
	Libtorch  string  `json:"libtorch"`
	Device    string  `json:"device"`
	Threads   int     `json:"threads"`
	Precision string  `json:"precision"`
	Engine    string  `json:"engine"`      // whose convolutions run
	Peak      float64 `json:"peak_gflops"` // of a product of matrices
}

// forwardTiming is the cost of forward passes of one size.
type forwardTiming struct {
	Size   pixelSize `json:"size"`
	Best   float64   `json:"best_s"`
	Median float64   `json:"median_s"`
	GFLOP  float64   `json:"gflop"`
	Speed  float64   `json:"gflops"` // GFLOP / Best
	Share  float64   `json:"share_of_peak"`
	Bytes  int64     `json:"peak_tensor_bytes,omitempty"` // absent where libtorch (before 2.11) does not count those of CUDA devices
}

// Run measures and prints.
func (c *benchCmd) Run(e *env) error {
	if err := c.validate(); err != nil {
		return err
	}
	path, err := weightsPath(c.Weights)
	if err != nil {
		return err
	}
	net, err := generatorIn(path)
	if err != nil {
		return err
	}
	r := benchReport{CPU: cpuModel(), Cores: runtime.NumCPU(), Weights: path, Network: fmt.Sprintf("%s %+v", net.Name(), net)}
	cfg := engineConfig{Weights: path, Device: c.Device, Precision: c.Precision, Threads: c.Threads}
	if r.Runs, r.Forward, err = timeForwards(e.ctx, cfg, c.Size, c.Runs); err != nil {
		return err
	}
	for i := range r.Forward {
		f := &r.Forward[i]
		f.GFLOP = float64(net.Operations(f.Size.H, f.Size.W)) / 1e9
		f.Speed = f.GFLOP / f.Best
		f.Share = f.Speed / r.Runs.Peak
	}
	if len(c.Callers) > 0 {
		if r.Service, err = c.timeService(e, cfg); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, r)
	}
	return r.print(e.stdout)
}

func (c *benchCmd) validate() error {
	switch {
	case c.Runs < 1:
		return usagef("--runs %d: must be at least 1", c.Runs)
	case c.For <= 0:
		return usagef("--for %v: must be above 0", c.For)
	case len(c.Callers) > 0 && slices.Min(c.Callers) < 1:
		return usagef("--callers %d: must be at least 1", slices.Min(c.Callers))
	}
	return engineFlags{Device: c.Device, Threads: c.Threads}.validate(c.Precision)
}

// generatorIn tells which network a weight file holds; "" is the built-in model.
func generatorIn(path string) (arch.Generator, error) {
	path = cmp.Or(path, builtin.Path)
	f, err := weightfile.Open(path)
	if err != nil {
		return nil, err
	}
	d, err := arch.DetectFile(f, "")
	if err != nil {
		return nil, err
	}
	net, ok := d.Network.(arch.Generator)
	if !ok {
		return nil, fmt.Errorf("%s holds %s, which does not upscale", path, d.Network.Name())
	}
	return net, nil
}

// cpuModel is the processor's name.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// newForwardTiming summarizes times in seconds.
func newForwardTiming(size pixelSize, seconds []float64, bytes int64) forwardTiming {
	slices.Sort(seconds)
	return forwardTiming{Size: size, Best: seconds[0], Median: quantile(seconds, 0.5), Bytes: bytes}
}

// quantile of sorted values: the smallest that at least a share q of them does not exceed.
func quantile(sorted []float64, q float64) float64 {
	return sorted[max(0, min(len(sorted)-1, int(q*float64(len(sorted)))))]
}

func (r benchReport) print(w io.Writer) error {
	for _, line := range [][2]string{
		{"machine", fmt.Sprintf("%s, %d cores", r.CPU, r.Cores)},
		{"libtorch", fmt.Sprintf("%s on %s, %d threads", r.Runs.Libtorch, r.Runs.Device, r.Runs.Threads)},
		{"network", r.Network},
		{"precision", fmt.Sprintf("%s, convolutions of %s", r.Runs.Precision, r.Runs.Engine)},
		{"peak", fmt.Sprintf("%.0f GFLOP/s in a product of matrices", r.Runs.Peak)},
	} {
		fmt.Fprintf(w, "%-11s%s\n", line[0], line[1])
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nLR\tbest s\tmedian s\tGFLOP\tGFLOP/s\tof peak\tMiB\t\n")
	for _, f := range r.Forward {
		fmt.Fprintf(t, "%v\t%.4f\t%.4f\t%.1f\t%.0f\t%.0f %%\t%d\t\n", f.Size, f.Best, f.Median, f.GFLOP, f.Speed, 100*f.Share, f.Bytes>>20)
	}
	if len(r.Service) > 0 {
		t.Flush()
		small := r.Service[0].Small.Size
		fmt.Fprintf(t, "\ncallers\tpictures\tLR MP/s\trelative\tp50 s\tp99 s\t%v: p50 s\tp99 s\t\n", small)
	}
	for _, s := range r.Service {
		fmt.Fprintf(t, "%d\t%d\t%.4f\t%.2f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", s.Callers, s.Pictures, s.Megapixels, s.Relative, s.P50, s.P99, s.Small.P50, s.Small.P99)
	}
	return t.Flush()
}
