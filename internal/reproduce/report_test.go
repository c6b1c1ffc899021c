package reproduce

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The report sets corrected numbers of trained rows beside the printed ones, and gains beside what is stated.
func TestReport(t *testing.T) {
	base, ours := row(t, "realesrgan@realsr-canon"), row(t, "realesrgan+ours@realsr-canon")
	r := &Report{Head: []string{"**a TRIAL**", "a word"}, Printed: Printed{ours.ID(): {"psnr_y_bt601": 27}}, Outcomes: []Outcome{
		{Row: base, Status: "done", Result: &Result{Plain: map[string]float64{"psnr_y_bt601": 25, KL: 0.5}, Corrected: map[string]float64{"psnr_y_bt601": 25.25, KL: 0.5}}},
		{Row: ours, Status: "done", Result: &Result{Steps: 7, Plain: map[string]float64{"psnr_y_bt601": 24}, Corrected: map[string]float64{"psnr_y_bt601": 26, KL: 0.25}}},
		{Row: row(t, "dan@realsr-canon"), Status: "skipped", Why: "missing things"},
	}}
	var md, text, raw, summary bytes.Buffer
	for _, err := range []error{r.WriteMarkdown(&md), r.WriteCSV(&text), r.WriteJSON(&raw), r.WriteSummary(&summary)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"**a TRIAL**", "## Tab. 2", "swaps the citations", "| realesrgan+ours@realsr-canon | corrected | 7 | 26.00 | 27.00 | −1.00 |",
		"| realesrgan+ours@realsr-canon | as they are | 7 | 24.00 |  |  |", "| realesrgan@realsr-canon | as they are | none | 25.00 |  |  |", "Printed numbers not at hand: KL of features.",
		"| +0.75 | +0.67 to +1.34 (within) |", "|  |  | −1.00 |  |", "dan@realsr-canon: skipped: missing things", "## Supplement D.a", "−0.2500",
	} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("Markdown lacks %q:\n%s", want, md.String())
		}
	}
	if !strings.Contains(summary.String(), "26.00 (printed 27.00)") || !strings.HasPrefix(summary.String(), "a TRIAL\nrealesrgan@") {
		t.Errorf("summary:\n%s", summary.String())
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil || !slices.ContainsFunc(lines, func(l []string) bool { return l[0] == ours.ID() && l[4] == "26" && l[6] == "-1" && l[7] == "0.75" }) {
		t.Errorf("CSV: %v %q", err, lines)
	}
	var doc struct {
		Rows []struct {
			Row       string
			Gap, Gain map[string]float64
		}
	}
	if err := json.Unmarshal(raw.Bytes(), &doc); err != nil || len(doc.Rows) != 3 || doc.Rows[1].Gap["psnr_y_bt601"] != -1 {
		t.Errorf("JSON: %v\n%s", err, raw.String())
	}
}
