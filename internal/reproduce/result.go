package reproduce

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// Result is what was measured of a row.
type Result struct {
	Row      string `json:"row"`
	Key      string `json:"key"`      // of inputs and settings: another one makes the result void
	Network  string `json:"network"`  // what made the pictures
	Features string `json:"features"` // Φ of the training; empty: nothing was trained
	Steps    int    `json:"steps,omitempty"`
	Pictures int    `json:"pictures"`
	// Seconds of training and of measuring, in the run that finished them.
	TrainSeconds   float64 `json:"train_seconds,omitempty"`
	MeasureSeconds float64 `json:"measure_seconds"`
	// Plain and Corrected are means by the short names of [Metrics], of results as they are and with corrected colours.
	Plain      map[string]float64 `json:"plain"`
	Corrected  map[string]float64 `json:"corrected,omitempty"`
	KLFeatures string             `json:"kl_features,omitempty"` // of what features kl is
	Notes      []string           `json:"notes,omitempty"`       // pictures and metrics that failed
}

// ReadResult reads a result; one that is not there is nil.
func ReadResult(path string) (*Result, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, nil // damaged: as if it were not there
	}
	return &r, nil
}

// Write writes the result; the file appears whole or not at all.
func (r Result) Write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return writeJSON(w, r) })
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
