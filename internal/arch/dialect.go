package arch

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gopdd/gopdd/internal/weightfile"
)

// The dialects: whose names a file's arrays have. The canonical names are those of BasicSR and Real-ESRGAN for the
// generators, torchvision's for the feature extractors, and PDD's for the discriminator.
const (
	DialectBasicSR     = "basicsr"     // conv_first, body.I.rdbJ.convK, conv_body, conv_up1, ..
	DialectESRGANOld   = "esrgan-old"  // model.0, model.1.sub.I.RDBJ.convK.0, model.3, ..: xinntao's first code
	DialectBSRGAN      = "bsrgan"      // RRDB_trunk.I.RDBJ.convK, trunk_conv, upconv1, HRconv, ..
	DialectTorchvision = "torchvision" // features.N
	DialectPDD         = "pdd"         // discriminator conv_0 .. conv_9
	DialectRealESRGAN  = "realesrgan"  // discriminator conv0 .. conv9
)

// folded is a file's arrays under canonical names.
type folded struct {
	dialect string
	names   []string // canonical, in the file's order
	arrays  map[string]weightfile.Array
	ignored []string // names in the file
}

// rename maps one name of a dialect to the canonical one; a name the dialect does not know stays as it is.
type rename func(name string) string

// fold drops the prefix module. (of PyTorch's DataParallel), recognises the dialect and translates it.
func fold(arrays []weightfile.Array) (*folded, error) {
	names := make([]string, len(arrays))
	for i, a := range arrays {
		names[i] = strings.TrimPrefix(a.Name, "module.")
	}
	dialect, translate := recognise(names)
	if err := refuseVariants(names, dialect); err != nil {
		return nil, err
	}
	f := &folded{dialect: dialect, arrays: make(map[string]weightfile.Array, len(arrays))}
	for i, a := range arrays {
		if dialect == DialectTorchvision && strings.HasPrefix(names[i], "classifier.") {
			f.ignored = append(f.ignored, a.Name)
			continue
		}
		name := translate(names[i])
		if other, ok := f.arrays[name]; ok {
			return nil, fmt.Errorf("%q and %q both mean %s", other.Name, a.Name, name)
		}
		f.names = append(f.names, name)
		f.arrays[name] = a
	}
	return f, nil
}

func recognise(names []string) (dialect string, translate rename) {
	seen := map[string]bool{}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "model.1.sub."):
			seen[DialectESRGANOld] = true
		case strings.HasPrefix(name, "RRDB_trunk."):
			seen[DialectBSRGAN] = true
		case strings.HasPrefix(name, "features."):
			seen[DialectTorchvision] = true
		case name == "conv_0.weight":
			seen[DialectPDD] = true
		case name == "conv0.weight":
			seen[DialectRealESRGAN] = true
		}
	}
	keep := func(name string) string { return name }
	switch {
	case seen[DialectESRGANOld]:
		return DialectESRGANOld, fromESRGANOld(names)
	case seen[DialectBSRGAN]:
		return DialectBSRGAN, fromBSRGAN
	case seen[DialectTorchvision]:
		return DialectTorchvision, keep
	case seen[DialectPDD]:
		return DialectPDD, keep
	case seen[DialectRealESRGAN]:
		return DialectRealESRGAN, fromRealESRGAN
	}
	return DialectBasicSR, keep
}

var (
	oldDense    = regexp.MustCompile(`^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(weight|bias)$`)
	oldTrunk    = regexp.MustCompile(`^model\.1\.sub\.(\d+)\.(weight|bias)$`)
	oldTop      = regexp.MustCompile(`^model\.(\d+)\.(weight|bias)$`)
	bsrganDense = regexp.MustCompile(`^RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)\.(weight|bias)$`)
	discConv    = regexp.MustCompile(`^conv(\d)\.`)
)

// fromESRGANOld translates the names of nested nn.Sequentials. The convolution behind the blocks has the number of
// blocks in its name.
func fromESRGANOld(names []string) rename {
	trunk := -1
	for _, name := range names {
		if m := oldTrunk.FindStringSubmatch(name); m != nil {
			trunk = max(trunk, number(m[1]))
		}
	}
	top := map[string]string{"0": "conv_first", "3": "conv_up1", "6": "conv_up2", "8": "conv_hr", "10": "conv_last"}
	return func(name string) string {
		if m := oldDense.FindStringSubmatch(name); m != nil {
			return fmt.Sprintf("body.%s.rdb%s.conv%s.%s", m[1], m[2], m[3], m[4])
		}
		if m := oldTrunk.FindStringSubmatch(name); m != nil && number(m[1]) == trunk {
			return "conv_body." + m[2]
		}
		if m := oldTop.FindStringSubmatch(name); m != nil && top[m[1]] != "" {
			return top[m[1]] + "." + m[2]
		}
		return name
	}
}

func fromBSRGAN(name string) string {
	if m := bsrganDense.FindStringSubmatch(name); m != nil {
		return fmt.Sprintf("body.%s.rdb%s.conv%s.%s", m[1], m[2], m[3], m[4])
	}
	layer, kind, _ := strings.Cut(name, ".")
	canonical := map[string]string{"trunk_conv": "conv_body", "upconv1": "conv_up1", "upconv2": "conv_up2", "HRconv": "conv_hr"}
	if c := canonical[layer]; c != "" {
		return c + "." + kind
	}
	return name
}

func fromRealESRGAN(name string) string { return discConv.ReplaceAllString(name, "conv_$1.") }

// refuseVariants names the relatives of RRDBNet that would otherwise be a list of unexpected arrays.
func refuseVariants(names []string, dialect string) error {
	last := -1
	for _, name := range names {
		switch {
		case strings.Contains(name, ".conv1x1."):
			return fmt.Errorf("%q: this is ESRGAN+, with 1x1 convolutions and noise in its dense blocks, which is not supported", name)
		case name == "conv_up3.bias" || name == "upconv3.bias":
			return fmt.Errorf("%q: this is an 8x ESRGAN, with three upsampling steps, which is not supported", name)
		}
		if m := oldTop.FindStringSubmatch(name); m != nil {
			last = max(last, number(m[1]))
		}
	}
	if dialect != DialectESRGANOld {
		return nil
	}
	// model.0, model.1, three for each upsampling step, three for the last two convolutions
	switch last {
	case 10:
		return nil
	case 4, 7, 13:
		return fmt.Errorf("the last layer is model.%d: this is a %dx ESRGAN, with %d upsampling steps; only 4x (model.10) is supported",
			last, 1<<((last-4)/3), (last-4)/3)
	}
	if last < 0 {
		return errors.New("an ESRGAN without model.0: its first and last layers are missing")
	}
	return nil
}

// number parses digits that a regular expression has found; too large a number is as wrong as any large one.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 1 << 30
	}
	return n
}

// has tells whether some canonical name begins with prefix.
func (f *folded) has(prefix string) bool {
	for _, name := range f.names {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// dim returns one dimension of an array, or byDefault where the array is missing or has too few.
func (f *folded) dim(name string, axis, byDefault int) int {
	if shape := f.arrays[name].Shape; axis < len(shape) {
		return shape[axis]
	}
	return byDefault
}

// maxIndex returns the largest N of the names prefix+N.anything, -1 for none. An N above limit, which is what the
// number of arrays warrants, does not count: a damaged name cannot make a network endless.
func (f *folded) maxIndex(prefix string, limit int) int {
	largest := -1
	for _, name := range f.names {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(digits); err == nil && n <= limit {
			largest = max(largest, n)
		}
	}
	return largest
}

func (f *folded) firstNames(n int) []string { return f.names[:min(n, len(f.names))] }
