package reproduce

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/weights"
)

// Sources are the places that inputs come from.
type Sources struct {
	Datasets, Weights string            // folders
	StandIns          map[string]string // files in place of the catalogue's weights, by their names
	RandomFeatures    bool              // VGG19 with random weights: no file is needed

	found map[string]data.Found
}

// Missing is something that a row needs and that is not there.
type Missing struct {
	What    string   `json:"what"`
	Paths   []string `json:"paths,omitempty"`   // where it is looked for; the first is the usual place
	Address string   `json:"address,omitempty"` // where it comes from
	Size    string   `json:"size,omitempty"`
}

// String is one line.
func (m Missing) String() string {
	text := m.What
	if len(m.Paths) > 0 {
		text += ": expected " + strings.Join(m.Paths, " or ")
	}
	if m.Address != "" {
		text += "; from " + m.Address
	}
	if m.Size != "" {
		text += " (" + m.Size + ")"
	}
	return text
}

// Inputs are the files of a row.
type Inputs struct {
	Network string            // of a finished system; or
	Results string            // the folder of its results
	Starts  map[string]string // files of the weights that training begins with, by name
	Phi     string            // VGG19's file; empty: random
	HR      []string          // labelled pictures for training
	Train   []string          // unlabelled pictures for training
	Pairs   []data.Pair       // for measuring
	Missing []Missing
}

// Find looks for everything that a row needs. It reads no picture.
func (s *Sources) Find(r Row) Inputs {
	in := Inputs{Starts: map[string]string{}}
	in.Pairs = s.test(r.Dataset, &in)
	t := r.System.Training
	if t == nil {
		s.finished(r, &in)
		return in
	}
	for _, name := range t.Starts() {
		in.Starts[name] = s.weights(name, &in)
	}
	if !s.RandomFeatures {
		in.Phi = s.weights("vgg19", &in)
	}
	in.HR = s.labelled(&in)
	in.Train = s.train(r.Dataset, &in)
	return in
}

// finished finds a system that is not trained here.
func (s *Sources) finished(r Row, in *Inputs) {
	if r.System.Weights != "" {
		in.Network = s.weights(r.System.Weights, in)
		return
	}
	results := filepath.Join(s.Weights, "results", r.System.ID, r.Dataset.ID)
	m := Missing{What: "network or results of " + r.System.ID, Address: "its authors", Size: unknownSize}
	for _, name := range r.System.Files() {
		path := filepath.Join(s.Weights, name)
		if isFile(path) {
			in.Network = path
			return
		}
		m.Paths = append(m.Paths, path)
	}
	if _, err := data.List(results); err == nil {
		in.Results = results
		return
	}
	m.Paths = append(m.Paths, results+"/")
	in.Missing = append(in.Missing, m)
}

func isFile(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.Mode().IsRegular()
}

// weights finds a file of the catalogue, or what stands in for it.
func (s *Sources) weights(name string, in *Inputs) string {
	if path := s.StandIns[name]; path != "" {
		return path
	}
	path, gap := s.FindWeights(name)
	if gap != nil {
		in.Missing = append(in.Missing, *gap)
	}
	return path
}

// FindWeights finds a file of the catalogue in the folder of weights, else says what is missing.
func (s *Sources) FindWeights(name string) (string, *Missing) {
	entry, err := weights.Lookup(name)
	if err != nil {
		return "", &Missing{What: err.Error()}
	}
	if path, ok := entry.Find(s.Weights); ok {
		return path, nil
	}
	m := &Missing{What: "weights " + name, Size: unknownSize, Address: fmt.Sprintf("pdd weights get %s --dir %s", name, s.Weights)}
	for i, source := range entry.Sources {
		var size int64
		for _, f := range source.Files {
			size += f.Size
		}
		m.Paths = append(m.Paths, filepath.Join(s.Weights, source.Files[0].Name))
		if i == 0 {
			m.Address += ", " + source.String()
			if size > 0 {
				m.Size = fmt.Sprintf("%.1f MB", float64(size)/1e6)
			}
		}
	}
	return "", m
}

// folder is the first of the folders that is there.
func (s *Sources) folder(candidates []string) string {
	for _, c := range candidates {
		path := filepath.Join(s.Datasets, filepath.FromSlash(c))
		if stat, err := os.Stat(path); err == nil && stat.IsDir() {
			return path
		}
	}
	return ""
}

func (s *Sources) find(folder string) (data.Found, error) {
	if f, ok := s.found[folder]; ok {
		return f, nil
	}
	f, err := data.Find(folder, Scale)
	if err == nil {
		if s.found == nil {
			s.found = map[string]data.Found{}
		}
		s.found[folder] = f
	}
	return f, err
}

// set lists the pictures of one of the folders, else adds what is missing.
func (s *Sources) set(d Dataset, what string, candidates []string, in *Inputs) (data.Found, string, bool) {
	folder := s.folder(candidates)
	if folder == "" {
		m := Missing{What: d.Name + ", " + what, Address: d.Page, Size: d.Size}
		for _, c := range candidates {
			m.Paths = append(m.Paths, filepath.Join(s.Datasets, filepath.FromSlash(c))+"/")
		}
		in.Missing = append(in.Missing, m)
		return data.Found{}, "", false
	}
	f, err := s.find(folder)
	if err != nil {
		in.Missing = append(in.Missing, Missing{What: fmt.Sprintf("%s, %s: %v", d.Name, what, err)})
		return f, folder, false
	}
	return f, folder, true
}

func (s *Sources) test(d Dataset, in *Inputs) []data.Pair {
	f, folder, ok := s.set(d, "pictures to measure", d.Test, in)
	if !ok {
		return nil
	}
	var pairs []data.Pair
	for _, p := range f.Pairs {
		if d.has(p.LR) {
			pairs = append(pairs, p)
		}
	}
	if len(pairs) == 0 {
		in.Missing = append(in.Missing, Missing{What: d.Name + ", pairs of LR and HR by their names (docs/DATA.md)", Paths: []string{folder + "/"}, Address: d.Page})
	}
	return pairs
}

// train lists unlabelled pictures: LR without HR, or where all have HR, their LR.
func (s *Sources) train(d Dataset, in *Inputs) []string {
	f, folder, ok := s.set(d, "unlabelled pictures for training", d.Train, in)
	if !ok {
		return nil
	}
	items := f.LR
	if len(items) == 0 && !slices.Equal(d.Train, d.Test) {
		for _, p := range f.Pairs {
			items = append(items, p.LR)
		}
	}
	var paths []string
	for _, it := range items {
		if d.has(it) {
			paths = append(paths, it.Path)
		}
	}
	if len(paths) == 0 {
		in.Missing = append(in.Missing, Missing{What: d.Name + ", LR pictures for training", Paths: []string{folder + "/"}, Address: d.Page})
	}
	return paths
}

// has tells whether a picture belongs to the set by its file name or its folders.
func (d Dataset) has(it data.Item) bool {
	if d.Files == nil {
		return true
	}
	return d.Files.MatchString(it.Key) || d.Files.MatchString(it.Key[strings.LastIndex(it.Key, "/")+1:])
}

func (s *Sources) labelled(in *Inputs) []string {
	folders := []string{s.folder([]string{labelled.whole})}
	if folders[0] == "" {
		folders = folders[:0]
		for _, p := range labelled.parts {
			if f := s.folder([]string{p}); f != "" {
				folders = append(folders, f)
			}
		}
	}
	whole := filepath.Join(s.Datasets, labelled.whole)
	parts := fmt.Sprintf("%s/ with %s/", filepath.Join(s.Datasets, labelled.parts[0]), filepath.Join(s.Datasets, labelled.parts[1]))
	if n := len(folders); n == 0 || n == 1 && folders[0] != whole {
		in.Missing = append(in.Missing, Missing{What: "DF2K, labelled HR pictures", Paths: []string{whole + "/", parts}, Address: labelled.pages, Size: labelled.size})
		return nil
	}
	var paths []string
	for _, folder := range folders {
		f, err := s.find(folder)
		if err != nil {
			in.Missing = append(in.Missing, Missing{What: "DF2K, labelled HR pictures: " + err.Error()})
			return nil
		}
		paths = append(paths, hrPaths(f)...)
	}
	if len(paths) == 0 {
		in.Missing = append(in.Missing, Missing{What: "DF2K, HR pictures by their names (docs/DATA.md)", Paths: folders, Address: labelled.pages})
	}
	return paths
}

// hrPaths are all HR pictures of a set; where no name says HR, all that are not LR.
func hrPaths(f data.Found) (paths []string) {
	items := slices.Clone(f.HR)
	for _, p := range f.Pairs {
		items = append(items, p.HR)
	}
	if len(items) == 0 {
		items = f.Other
	}
	for _, it := range items {
		paths = append(paths, it.Path)
	}
	return paths
}
