package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/gopdd/gopdd/internal/weights"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// libtorchInfo describes the native half of this program.
type libtorchInfo struct {
	CompiledVersion string   `json:"compiled_version"` // of the headers at build time
	RuntimeVersion  string   `json:"runtime_version"`  // of the library that runs
	CUDA            bool     `json:"cuda"`
	CUDADevices     int      `json:"cuda_devices"`
	BFloat16        bool     `json:"bfloat16"` // the CPU calculates in bfloat16
	Kernels         []string `json:"kernels"`  // types that networks run in convolutions of our own in
	Threads         int      `json:"threads"`
	Processes       []string `json:"processes"` // what moves tensors between those that train together
	Libraries       []string `json:"libraries"` // mapped files
}

// diagnosis is what the doctor finds.
type diagnosis struct {
	Version      string        `json:"version"`
	Go           string        `json:"go"`
	Platform     string        `json:"platform"`
	Cores        int           `json:"cores"`
	Libtorch     *libtorchInfo `json:"libtorch,omitempty"`
	Memory       int64         `json:"memory"` // bytes this process may use, 0 = not known
	MemorySource string        `json:"memory_source,omitempty"`
	Cache        string        `json:"cache"`
	Cached       []string      `json:"cached"`   // entries of the catalogue in Cache
	Problems     []string      `json:"problems"` // each with the way out
}

// Run prints the diagnosis, and fails if networks cannot run.
func (c *doctorCmd) Run(e *env) error {
	d, cannot := diagnose(e)
	if c.JSON {
		if err := writeJSON(e.stdout, d); err != nil {
			return err
		}
	} else {
		d.print(e.stdout)
	}
	if cannot != nil {
		return fmt.Errorf("networks cannot run on this machine yet: %w", cannot)
	}
	return nil
}

// diagnose examines the machine. cannot says why networks do not run, and is nil if they do.
func diagnose(e *env) (d diagnosis, cannot error) {
	d = diagnosis{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(),
		Cached: []string{}, Problems: []string{}}
	d.memory()
	if cannot = d.native(); cannot == nil {
		cannot = d.model(e)
	}
	d.cache()
	return d, cannot
}

// memory finds the smaller of the machine's memory and the control group's limit.
func (d *diagnosis) memory() {
	if n, err := memlimit.FromSystem(); err == nil {
		d.Memory, d.MemorySource = int64(n), "the machine's"
	}
	if n, err := memlimit.FromCgroup(); err == nil && n > 0 && (d.Memory == 0 || n < uint64(d.Memory)) {
		d.Memory, d.MemorySource = int64(n), "limit of the control group"
	}
}

// native examines libtorch, and fails if there is none.
func (d *diagnosis) native() (err error) {
	if d.Libtorch, err = nativeInfo(); err != nil {
		d.Problems = append(d.Problems, err.Error())
		return err
	}
	if t := d.Libtorch; t.RuntimeVersion != "" && t.RuntimeVersion != t.CompiledVersion {
		d.Problems = append(d.Problems, fmt.Sprintf("built for libtorch %s, running with %s: run third_party/setup.sh and build again",
			t.CompiledVersion, t.RuntimeVersion))
	}
	var c10 []string
	for _, lib := range d.Libtorch.Libraries {
		if strings.Contains(lib, "libc10.so") {
			c10 = append(c10, lib)
		}
	}
	if len(c10) > 1 {
		d.Problems = append(d.Problems, "two libtorches are loaded, "+strings.Join(c10, " and ")+": run third_party/setup.sh for one of them and build again")
	}
	return nil
}

// model makes an engine of the built-in model, and fails if that does.
func (d *diagnosis) model(e *env) error {
	eng, err := e.newEngine(engineConfig{Device: "cpu", Precision: "auto"})
	if err == nil {
		err = eng.Close()
	}
	if err != nil {
		d.Problems = append(d.Problems, err.Error())
	}
	return err
}

func (d *diagnosis) cache() {
	dir, err := weights.DefaultDir()
	if err != nil {
		d.Problems = append(d.Problems, err.Error())
		return
	}
	d.Cache = dir
	for _, entry := range weights.Catalog {
		if _, here := entry.Find(dir); here && !entry.BuiltIn() {
			d.Cached = append(d.Cached, entry.Name)
		}
	}
}

func (d diagnosis) print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-16s%s\n", name, fmt.Sprintf(format, args...))
	}
	line("pdd", "%s", d.Version)
	line("go", "%s, %s, %d cores", d.Go, d.Platform, d.Cores)
	d.printLibtorch(line)
	if d.Memory > 0 {
		line("memory", "%s (%s)", byteSize(d.Memory), d.MemorySource)
	} else {
		line("memory", "limit not known")
	}
	line("weights", "%s: %s", d.Cache, orNone(d.Cached))
	for _, p := range d.Problems {
		line("problem", "%s", p)
	}
}

func (d diagnosis) printLibtorch(line func(name, format string, args ...any)) {
	t := d.Libtorch
	if t == nil {
		line("libtorch", "not available")
		return
	}
	line("libtorch", "%s (built for %s)", t.RuntimeVersion, t.CompiledVersion)
	for _, lib := range t.Libraries {
		line("", "%s", lib)
	}
	line("threads", "%d", t.Threads)
	line("bfloat16", "%s", map[bool]string{true: "in hardware", false: "not in hardware: float32 is used"}[t.BFloat16])
	if len(t.Kernels) > 0 {
		line("kernels", "our own on the CPU for %s", strings.Join(t.Kernels, " and "))
	} else {
		line("kernels", "libtorch's: our own want an x86-64 CPU with AVX2")
	}
	if len(t.Processes) > 0 {
		line("processes", "several can train together, by %s", strings.Join(t.Processes, " and "))
	} else {
		line("processes", "one: the headers of gloo and NCCL are missing, see docs/SCALING.md")
	}
	if t.CUDA {
		line("cuda", "%d devices", t.CUDADevices)
	} else {
		line("cuda", "no")
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
