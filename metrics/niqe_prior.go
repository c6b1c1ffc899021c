package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/matfile"
	"github.com/gopdd/gopdd/internal/npzfile"
)

// NIQEPrior is the multivariate Gaussian that [NIQE] compares with, fitted to the features of pristine pictures. None
// comes with this package: published ones have their own licences. It is safe for concurrent reading.
type NIQEPrior struct {
	Block int // side of the blocks it was fitted to, in pixels: 96 in all published priors
	Mean  [36]float64
	Cov   [36][36]float64
}

const publishedBlock = 96

// LoadNIQEPrior reads a prior from a file: niqe_pris_params.npz of BasicSR, a .mat file of the original release or of
// pyiqa (variables mu_prisparam and cov_prisparam), or what [NIQEPrior.Save] wrote. The content decides, not the name.
func LoadNIQEPrior(path string) (*NIQEPrior, error) {
	p, err := loadNIQEPrior(path)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, fmt.Errorf("metrics: load NIQE prior %q: %w", path, err)
	}
	return p, nil
}

func loadNIQEPrior(path string) (*NIQEPrior, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var start [4]byte
	if _, err := io.ReadFull(f, start[:]); err != nil {
		return nil, errors.New("too short to be a prior")
	}
	switch {
	case string(start[:]) == "PK\x03\x04":
		return priorFromNPZ(path)
	case start[0] == '{':
		return priorFromJSON(path)
	}
	return priorFromMAT(path)
}

const priorLimit = 1 << 24 // bytes; priors have some ten thousand

func priorFromNPZ(path string) (*NIQEPrior, error) {
	arrays, err := npzfile.ReadFile(path, priorLimit)
	if err != nil {
		return nil, err
	}
	return newNIQEPrior(publishedBlock, arrays["mu_pris_param"].Data, arrays["cov_pris_param"].Data)
}

func priorFromMAT(path string) (*NIQEPrior, error) {
	vars, err := matfile.ReadFile(path, priorLimit)
	if err != nil {
		return nil, err
	}
	mean, err := vars["mu_prisparam"].Float64s()
	if err != nil {
		return nil, fmt.Errorf("mu_prisparam: %w", err)
	}
	cov, err := vars["cov_prisparam"].Float64s() // symmetric, so the order of its elements does not matter
	if err != nil {
		return nil, fmt.Errorf("cov_prisparam: %w", err)
	}
	return newNIQEPrior(publishedBlock, mean, cov)
}

func newNIQEPrior(block int, mean, cov []float64) (*NIQEPrior, error) {
	if len(mean) != 36 || len(cov) != 36*36 {
		return nil, fmt.Errorf("mean of %d and covariance of %d numbers: want 36 and 36×36", len(mean), len(cov))
	}
	p := &NIQEPrior{Block: block}
	copy(p.Mean[:], mean)
	for i := range p.Cov {
		copy(p.Cov[i][:], cov[36*i:])
	}
	return p, nil
}

// priorFile is the JSON form of a prior; cov has its rows one after the other.
type priorFile struct {
	Block int       `json:"block"`
	Mean  []float64 `json:"mean"`
	Cov   []float64 `json:"cov"`
}

func priorFromJSON(path string) (*NIQEPrior, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	dec := json.NewDecoder(io.LimitReader(f, priorLimit))
	dec.DisallowUnknownFields()
	var p priorFile
	if err := dec.Decode(&p); err != nil {
		return nil, err
	}
	return newNIQEPrior(p.Block, p.Mean, p.Cov)
}

// Save writes the prior as JSON with the keys block, mean and cov. The file appears whole or not at all.
func (p *NIQEPrior) Save(path string) error {
	err := p.check()
	if err == nil {
		f := priorFile{Block: p.Block, Mean: p.Mean[:]}
		for _, row := range p.Cov {
			f.Cov = append(f.Cov, row[:]...)
		}
		err = atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(f) })
	}
	if err != nil {
		return fmt.Errorf("metrics: save NIQE prior %q: %w", path, err)
	}
	return nil
}

// check reports what cannot be a fitted Gaussian.
func (p *NIQEPrior) check() error {
	if p == nil {
		return errors.New("no prior: load one with LoadNIQEPrior")
	}
	for i, row := range p.Cov {
		for j, v := range row {
			if !(math.Abs(v-p.Cov[j][i]) <= 1e-9*math.Sqrt(math.Abs(p.Cov[i][i]*p.Cov[j][j]))) { // true for NaN too
				return fmt.Errorf("covariance (%d,%d) is %v, (%d,%d) is %v: want a symmetric matrix", i, j, v, j, i, p.Cov[j][i])
			}
		}
		if !(row[i] > 0) || p.Mean[i]-p.Mean[i] != 0 {
			return fmt.Errorf("feature %d has mean %v and variance %v: want numbers, the variance positive", i, p.Mean[i], row[i])
		}
	}
	return nil
}
