package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/weightfile"
)

type inspectCmd struct {
	Files  []string `arg:"" name:"file" help:"Weight files or names of the catalogue."`
	Entry  string   `placeholder:"KEY" help:"Entry of the file, like params_ema. Default: the usual one."`
	Arrays bool     `help:"List every array with its type and shape."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

// inspected is the report on one file.
type inspected struct {
	arch.Report
	Arrays []arrayInfo `json:"arrays,omitempty"`
}

type arrayInfo struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

// Run describes each file. An unknown network is a report, a file that cannot be read a failure.
func (c *inspectCmd) Run(e *env) error {
	reports := make([]inspected, len(c.Files))
	for i, file := range c.Files {
		var err error
		if reports[i], err = c.inspect(file); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(e.stdout, reports)
	}
	for _, r := range reports {
		r.print(e.stdout)
	}
	return nil
}

func (c *inspectCmd) inspect(file string) (r inspected, err error) {
	path, err := weightsPath(file)
	if err != nil {
		return r, err
	}
	if r.Report, err = arch.Inspect(path, c.Entry); err != nil || !c.Arrays {
		return r, err
	}
	f, err := weightfile.Open(path)
	if err != nil {
		return r, err
	}
	dict, err := f.Select(c.Entry)
	for _, a := range dict.Arrays {
		r.Arrays = append(r.Arrays, arrayInfo{a.Name, string(a.DType), a.Shape})
	}
	return r, err
}

func (r inspected) print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-11s%s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w, r.File)
	if r.Network != "" {
		line("network", "%s %+v", r.Network, r.Sizes)
		line("names", "%s", r.Dialect)
	}
	if r.PostScale != 1 {
		line("resize", "by %g behind the network", r.PostScale)
	}
	line("format", "%s", r.Format)
	if len(r.Entries) > 1 || r.Entry != "" {
		line("entry", "%s of %s", r.Entry, strings.Join(r.Entries, ", "))
	}
	types := make([]string, 0, len(r.DTypes))
	for _, t := range slices.Sorted(maps.Keys(r.DTypes)) {
		types = append(types, fmt.Sprintf("%d %s", r.DTypes[t], t))
	}
	line("arrays", "%s; %d parameters", strings.Join(types, ", "), r.Parameters)
	if len(r.Ignored) > 0 {
		line("ignored", "%s", strings.Join(r.Ignored, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(r.Metadata)) {
		line("metadata", "%s: %s", key, r.Metadata[key])
	}
	for _, part := range r.Parts {
		line("file", "%s, %s, sha256 %s", part.Path, byteSize(part.Bytes), part.SHA256)
	}
	if r.Problem != "" {
		line("problem", "%s", strings.ReplaceAll(r.Problem, "\n", "; "))
	}
	for _, a := range r.Arrays {
		fmt.Fprintf(w, "    %-48s %-5s %v\n", a.Name, a.Type, a.Shape)
	}
}
