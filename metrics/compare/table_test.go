package compare

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/metrics/report"
)

func TestShortNames(t *testing.T) {
	list, err := report.Parse("psnr_y_bt601,psnr_rgb,ssim_y_bt601,ssim_y_yiq,sharpness", 4, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"psnr_y", "psnr_rgb", "ssim_y_bt601", "ssim_y_yiq", "sharpness"}
	if diff := cmp.Diff(want, shortNames(list)); diff != "" {
		t.Error(diff)
	}
}

// The layout of the tables, on numbers that need no computing: 20 and 30 against 21 and 33, 20 and a failure.
func TestTables(t *testing.T) {
	c := given(report.Metric{Name: "psnr_x", About: "made up", Higher: true}, []float64{20, 30, 7}, []float64{21, 33, math.NaN()})
	for i, name := range []string{"one", "two", "three"} {
		c.Pictures[i].Name = name
	}
	var text, markdown strings.Builder
	if c.WriteTable(&text) != nil || c.WriteMarkdown(&markdown) != nil {
		t.Fatal("a table cannot be written")
	}
	wantText := `2 systems on 3 pictures, differences to s0; * best mean

system  psnr ↑
s0       25.00
s1       27.00* (+2.00)

metric  system  difference  95 % interval  better  worse  equal
psnr ↑  s1           +2.00  +1.00 … +3.00       2      0      0

psnr is psnr_x: made up (mean of the 2 of 3 pictures that all systems have)
`
	if diff := cmp.Diff(wantText, text.String()[:min(len(wantText), text.Len())]); diff != "" {
		t.Error(diff)
	}
	wantMarkdown := `2 systems on 3 pictures, differences to s0; best mean in bold.

| system | psnr ↑ |
|---|---:|
| s0 | 25.00 |
| s1 | **27.00** (+2.00) |
`
	if diff := cmp.Diff(wantMarkdown, markdown.String()[:min(len(wantMarkdown), markdown.Len())]); diff != "" {
		t.Error(diff)
	}
	for _, out := range []string{text.String(), markdown.String()} {
		if !strings.Contains(out, "failed: s1: three: made to fail") {
			t.Errorf("the failure is not named in\n%s", out)
		}
	}
}

// CSV and JSON hold all numbers without loss, and the two agree.
func TestExport(t *testing.T) {
	c := given(report.Metric{Name: "m"}, []float64{1. / 3, math.Inf(1)}, []float64{math.NaN(), 2})
	c.Pictures[0].Name, c.Pictures[1].Name = "p", "q"
	var table, pictures, text bytes.Buffer
	if c.WriteCSV(&table) != nil || c.WritePicturesCSV(&pictures) != nil || c.WriteJSON(&text) != nil {
		t.Fatal("cannot be written")
	}
	rows, err := csv.NewReader(&pictures).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"system", "picture", "file", "m", "error"}, {"s0", "p", "", "0.3333333333333333", ""}, {"s0", "q", "", "+Inf", ""},
		{"s1", "p", "", "", "made to fail"}, {"s1", "q", "", "2", ""}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	cells, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(cells) != 3 {
		t.Fatalf("%d rows of the table (%v), want a head and two", len(cells), err)
	}
	var j struct {
		Systems []struct {
			Metrics  map[string]struct{ Mean, Difference, Low any }
			Pictures []struct {
				Values map[string]any
				Errors map[string]string
			}
		}
		Failed []string
	}
	if err := json.Unmarshal(text.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	first, second := j.Systems[0].Metrics["m"], j.Systems[1].Metrics["m"]
	if first.Mean != "+Inf" || cells[1][2] != "+Inf" || second.Mean != 2.0 || second.Difference != "-Inf" || cells[2][6] != "-Inf" || second.Low != nil || cells[2][7] != "" {
		t.Errorf("JSON %+v and %+v, CSV %v", first, second, cells)
	}
	if v := j.Systems[0].Pictures[0].Values["m"]; v != 1./3 || j.Systems[1].Pictures[0].Errors["m"] != "made to fail" || len(j.Failed) != 1 {
		t.Errorf("JSON pictures %+v, failed %v", j.Systems, j.Failed)
	}
	if _, err := strconv.ParseBool(cells[1][4]); err != nil {
		t.Errorf("best is %q", cells[1][4])
	}
}
