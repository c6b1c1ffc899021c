package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteTable writes the counts for a terminal.
func (t *Tally) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "test %s: %d votes by %d voters, %d questions open\n\n", t.Test, t.Votes, t.Voters, t.Open)
	pairs := grid{{"first", "second", "first better", "second better", "equal", "share of first", "95 % interval"}}
	for _, p := range t.Pairs {
		pairs = append(pairs, append([]string{p.First, p.Second, strconv.Itoa(p.FirstWins), strconv.Itoa(p.SecondWins), strconv.Itoa(p.Ties)}, p.Share.cells()...))
	}
	pairs.text(&b, "<<>>>>>")
	b.WriteString("\n")
	systems := grid{{"system", "won", "lost", "equal", "share won", "95 % interval"}}
	for _, s := range t.Systems {
		systems = append(systems, append([]string{s.Name, strconv.Itoa(s.Wins), strconv.Itoa(s.Losses), strconv.Itoa(s.Ties)}, s.Share.cells()...))
	}
	systems.text(&b, "<>>>>>")
	b.WriteString("\nshares leave out votes for equal; 95 % interval: Wilson, as if all votes were independent\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// cells are the share and its interval in per cent.
func (s Share) cells() []string {
	if math.IsNaN(s.Value) {
		return []string{"-", "-"}
	}
	return []string{fmt.Sprintf("%.1f %%", 100*s.Value), fmt.Sprintf("%.1f … %.1f %%", 100*s.Low, 100*s.High)}
}

// WriteJSON writes everything that was counted.
func (t *Tally) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(t)
}
