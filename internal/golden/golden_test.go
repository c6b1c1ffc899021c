package golden_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/golden"
)

// opFunc computes the outputs of a case from its inputs and parameters. It must follow the parameters, never the
// case's name, and return an error where the operation refuses the input.
type opFunc func(c *golden.Case) (map[string]golden.Array, error)

// ops holds the operations of all areas. Each area has a file ops_AREA_test.go with its map and an init that calls
// register; areas that need libtorch start with a go:build cgo line.
var ops = map[string]opFunc{}

func register(area map[string]opFunc) {
	for name, f := range area {
		if ops[name] != nil {
			panic("golden: two functions for " + name)
		}
		ops[name] = f
	}
}

// native are the operations whose area needs libtorch; without cgo they are skipped by name.
var native = []string{
	"loaders.load",
	"losses.distillation", "losses.gan", "losses.gram", "losses.inter", "losses.intra", "losses.perceptual", "losses.wavelet",
	"metrics.lpips",
	"models.rrdbnet", "models.srvgg", "models.unet_discriminator", "models.vgg19",
	"optim.adam", "optim.ema",
	"pdd.color_correction",
	"train.trajectory",
	"upscale.realesrgan_x4plus", "upscale.tiled",
}

// errAbsent is in the chain of errors about files that cannot be shipped; such a case is skipped, saying why.
var errAbsent = errors.New("not at hand")

// thirdParty are the cases whose parameters are other people's (NIQE's prior, the LPIPS heads) and therefore not
// in the repository: they run from $GOPDD_GOLDEN or ../shared/golden beside the checkout.
var thirdParty = []string{
	"metrics_lpips_alex", "metrics_lpips_vgg",
	"metrics_niqe_gray", "metrics_niqe_rgb",
}

const (
	ownCases    = "../../testdata/golden"
	sharedCases = "../../../shared/golden"
)

// TestGolden runs every case of testdata/golden, or of $GOPDD_GOLDEN where set, and prints a line per case and per
// operation with the largest error. An operation nobody knows is a failure.
func TestGolden(t *testing.T) {
	summary := map[string]golden.Report{}
	for _, c := range loadCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			f := lookUp(t, c.Op)
			if c.Expect == "error" {
				requireError(t, c, f)
				return
			}
			got, err := guard(c, f)
			if errors.Is(err, errAbsent) && os.Getenv("GOPDD_REQUIRE_WEIGHTS") == "" {
				t.Skipf("%s: %v", c.Op, err)
			}
			if err != nil {
				t.Fatalf("%s: %v", c.Op, err)
			}
			report, err := c.Compare(got)
			if err != nil {
				t.Errorf("%s:\n%v", c.Op, err)
			}
			t.Logf("%s: %v", c.Op, report)
			worst, ok := summary[c.Op]
			relative := max(report.Relative, worst.Relative)
			if !ok || report.Share > worst.Share {
				worst = report
				worst.Worst = c.Name + ": " + report.Worst
			}
			worst.Relative = relative
			summary[c.Op] = worst
		})
	}
	logSummary(t, summary)
}

// loadCases reads the cases of $GOPDD_GOLDEN, else the repository's and, where present, the third-party ones.
func loadCases(t *testing.T) []*golden.Case {
	t.Helper()
	if root := os.Getenv("GOPDD_GOLDEN"); root != "" {
		return mustLoad(t, root)
	}
	cases := mustLoad(t, ownCases)
	if _, err := os.Stat(sharedCases); err != nil {
		t.Logf("skipped, their third-party parameters are not in the repository (set GOPDD_GOLDEN): %s", strings.Join(thirdParty, ", "))
		return cases
	}
	for _, c := range mustLoad(t, sharedCases) {
		if slices.Contains(thirdParty, c.Name) {
			cases = append(cases, c)
		}
	}
	return cases
}

func mustLoad(t *testing.T, root string) []*golden.Case {
	t.Helper()
	cases, err := golden.Load(filepath.FromSlash(root))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// lookUp returns the operation's function. It skips the test where that needs a build with cgo, and fails it where
// nobody knows the operation.
func lookUp(t *testing.T, op string) opFunc {
	t.Helper()
	f := ops[op]
	switch {
	case f == nil && slices.Contains(native, op) && !withCgo:
		t.Skipf("%s: needs libtorch, and this test was built without cgo", op)
	case f == nil:
		t.Fatalf("%s: unknown operation", op)
	}
	return f
}

// requireError runs a case whose operation must fail: with an error, not with a panic or a result.
func requireError(t *testing.T, c *golden.Case, f opFunc) {
	t.Helper()
	before := workingFolder(t)
	got, err := guard(c, f)
	if err == nil {
		t.Fatalf("%s: returned %d outputs, want an error: %s", c.Op, len(got), c.Source)
	}
	if strings.HasPrefix(err.Error(), "panic:") {
		t.Fatalf("%s: %v", c.Op, err)
	}
	if after := workingFolder(t); !slices.Equal(before, after) {
		t.Fatalf("%s: the working folder changed from %v to %v", c.Op, before, after)
	}
	t.Logf("%s: refused as it must be: %v", c.Op, err)
}

// guard turns a panic of the operation into an error, so that the other cases still run.
func guard(c *golden.Case, f opFunc) (got map[string]golden.Array, err error) {
	defer func() {
		if r := recover(); r != nil {
			got, err = nil, fmt.Errorf("panic: %v", r)
		}
	}()
	return f(c)
}

func workingFolder(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func logSummary(t *testing.T, summary map[string]golden.Report) {
	t.Helper()
	var lines []string
	for op, r := range summary {
		lines = append(lines, fmt.Sprintf("%-28s relative %.1e; %.3g of the tolerance (%s)", op, r.Relative, r.Share, r.Worst))
	}
	slices.Sort(lines)
	t.Logf("largest error of each operation:\n%s", strings.Join(lines, "\n"))
}
