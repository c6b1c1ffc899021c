package reproduce

import (
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/data"
)

// Every row has an id of its own, which selects exactly it; every table has rows; bases and places exist.
func TestRows(t *testing.T) {
	rows, seen, filled := Rows(), map[string]bool{}, map[string]bool{}
	ids := rowIDs(rows)
	for _, r := range rows {
		if seen[r.ID()] {
			t.Errorf("%s is there twice", r.ID())
		}
		seen[r.ID()] = true
		got, err := Select(r.ID())
		if err != nil || len(got) != 1 || got[0].ID() != r.ID() {
			t.Errorf("Select(%s) = %v, %v", r.ID(), rowIDs(got), err)
		}
		if b := r.BaseID(); b != "" && !slices.Contains(ids, b) {
			t.Errorf("%s: the base %s is no row", r.ID(), b)
		}
		for _, p := range r.Places {
			filled[p] = true
		}
	}
	for _, p := range places {
		if !filled[p.ID] {
			t.Errorf("%s has no row", p.ID)
		}
	}
	for _, c := range contents {
		for _, s := range strings.Fields(c.systems) {
			for _, d := range strings.Fields(c.datasets) {
				if !seen[s+"@"+d] {
					t.Errorf("%s names %s@%s, which is no row", c.place, s, d)
				}
			}
		}
	}
	for _, s := range systems {
		if s.Training != nil && s.Training.Degradation != "" {
			if _, err := data.Preset(s.Training.Degradation, Scale); err != nil {
				t.Errorf("%s: %v", s.ID, err)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	for selection, want := range map[string]int{"": len(Rows()), "sup-db": 5, "fig5": 12} {
		if got, err := Select(selection); err != nil || len(got) != want {
			t.Errorf("Select(%q): %d rows, error %v, want %d", selection, len(got), err, want)
		}
	}
	one, _ := Select("*@ntire2020")
	two, _ := Select("*@ntire2020,realesrgan@realsr-canon,realesrgan@realsr-canon")
	if len(two) != len(one)+1 {
		t.Errorf("%d rows with one more, %d without", len(two), len(one))
	}
	for bad, want := range map[string]string{
		"realesrgan+our@realsr-canon": `did you mean "realesrgan+ours"?`,
		"realesrgan@realsr-cannon":    `did you mean "realsr-canon"?`,
		"tab9":                        `did you mean "tab`,
		"realesrgan":                  "want SYSTEM@DATASET",
		"realesrgan@xyzzyplugh":       "choose one of realsr-canon, ",
		"realesrgan+intra@ntire2020":  "no such row",
		"tab2,,tab3":                  "want SYSTEM@DATASET",
	} {
		if _, err := Select(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Select(%q): error %v, want one with %q", bad, err, want)
		}
	}
}

func TestPrinted(t *testing.T) {
	p, err := parsePrinted(strings.NewReader("row,metric,value\n# from Tab. 2\nrealesrgan@realsr-canon, psnr_y_bt601, 25.5\n"))
	if err != nil || p["realesrgan@realsr-canon"]["psnr_y_bt601"] != 25.5 {
		t.Errorf("%v, %v", p, err)
	}
	_, err = parsePrinted(strings.NewReader("realesrgan@realsr-canon,psnr,25\nrealesrgn@realsr-canon,kl,1\na,b\nrealesrgan@realsr-canon,kl,NaN\n" +
		"realesrgan@realsr-canon,kl,1\nrealesrgan@realsr-canon,kl,2\nrealesrgan@realsr-canon,kl,x\n"))
	for _, want := range []string{"line 1: no metric", "line 2: no row", `did you mean "realesrgan@realsr-canon"?`, "line 3: 2 columns", "line 4: value", "line 6: ", "twice", "line 7: value"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := parsePrinted(strings.NewReader("a,\"b\n")); err == nil {
		t.Error("an open quote is no error")
	}
}

// Fractions keep at least the least and never more than there is.
func TestFraction(t *testing.T) {
	for _, c := range []struct {
		n        int
		fraction float64
		least    int
		want     int
	}{{100000, 1, 2, 100000}, {100000, 0.001, 2, 100}, {100000, 1e-9, 2, 2}, {300, 0.001, 0, 0}, {1, 0.1, 2, 1}} {
		if got := Count(c.n, c.fraction, c.least); got != c.want {
			t.Errorf("Count(%d, %v, %d) = %d, want %d", c.n, c.fraction, c.least, got, c.want)
		}
	}
	if got := Spread([]int{0, 1, 2, 3, 4, 5}, 0.5); !slices.Equal(got, []int{0, 2, 4}) {
		t.Errorf("Spread: %v", got)
	}
}
