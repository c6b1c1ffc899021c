package compare

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Wilson's bounds are the p with |hits/n - p| = z √(p(1-p)/n). By hand, z² = 3.841459:
// 0 of 10: p = z²/(n+z²) = 3.841459/13.841459 = 0.277533, and 0 below.
// 5 of 10: 1/2 ± z/(2 √(n+z²)) = 0.5 ± 1.959964/7.440822 = 0.5 ± 0.263407.
func TestWilson(t *testing.T) {
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
	if s := NewShare(0, 10); s.Value != 0 || s.Low != 0 || !near(s.High, 0.277533) {
		t.Errorf("0 of 10: %+v", s)
	}
	if s := NewShare(5, 10); s.Value != 0.5 || !near(s.Low, 0.236593) || !near(s.High, 0.763407) {
		t.Errorf("5 of 10: %+v", s)
	}
	for _, c := range [][2]int{{1, 3}, {8, 10}, {37, 40}, {12, 12}} {
		s, n := NewShare(c[0], c[1]), float64(c[1])
		for _, p := range []float64{s.Low, s.High} {
			if p < 1 && !near(math.Abs(s.Value-p), 1.959963984540054*math.Sqrt(p*(1-p)/n)) {
				t.Errorf("%d of %d: %v is no bound of Wilson's", c[0], c[1], p)
			}
		}
		mirror := NewShare(c[1]-c[0], c[1])
		if !near(mirror.Low, 1-s.High) || !near(mirror.High, 1-s.Low) {
			t.Errorf("%d of %d and its mirror image: %+v, %+v", c[0], c[1], s, mirror)
		}
	}
	if s := NewShare(0, 0); !math.IsNaN(s.Value) || !math.IsNaN(s.Low) || !math.IsNaN(s.High) {
		t.Errorf("nothing counted: %+v", s)
	}
}

var smallKey = Key{Test: "t", Systems: []string{"a", "b", "c"}, Sheets: []Sheet{
	{"t-1", "p", "a", "b"}, {"t-2", "q", "b", "a"}, {"t-3", "p", "c", "a"}}}

func TestCount(t *testing.T) {
	tally, err := smallKey.Count([]Vote{
		{"t-1", "x", 'A'}, {"t-2", "x", 'A'}, {"t-3", "x", '='}, // a over b, b over a, c equals a
		{"t-1", "y", 'A'}, {"t-3", "y", 'B'}, // a over b, a over c
	})
	if err != nil {
		t.Fatal(err)
	}
	if tally.Votes != 5 || tally.Voters != 2 || tally.Open != 1 {
		t.Errorf("%d votes by %d voters, %d open; want 5, 2, 1", tally.Votes, tally.Voters, tally.Open)
	}
	ab, ac := tally.Pairs[0], tally.Pairs[1]
	if ab.First != "a" || ab.Second != "b" || ab.FirstWins != 2 || ab.SecondWins != 1 || ab.Ties != 0 || ab.Share != NewShare(2, 3) {
		t.Errorf("a and b: %+v", ab)
	}
	if ac.First != "a" || ac.Second != "c" || ac.FirstWins != 1 || ac.SecondWins != 0 || ac.Ties != 1 || ac.Share != NewShare(1, 1) {
		t.Errorf("a and c: %+v", ac)
	}
	if best := tally.Systems[0]; best.Name != "a" || best.Wins != 3 || best.Losses != 1 || best.Ties != 1 || best.Share != NewShare(3, 4) {
		t.Errorf("the best system: %+v", best)
	}
	var text, json strings.Builder
	if tally.WriteTable(&text) != nil || tally.WriteJSON(&json) != nil || !strings.Contains(text.String(), "75.0 %") || !strings.Contains(json.String(), `"wins": 3`) {
		t.Errorf("%s\n%s", &text, &json)
	}
	if _, err := tally.Figure(); err != nil {
		t.Error(err)
	}
	for reason, votes := range map[string][]Vote{"of the test t": {{"u-1", "x", 'A'}}, "two votes of x": {{"t-1", "x", 'A'}, {"t-1", "x", 'B'}}} {
		if _, err := smallKey.Count(votes); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("error %v, want one with %q", err, reason)
		}
	}
}

func TestReadVotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ann.csv")
	tests := []struct {
		reason, text string
		votes        []Vote
		err          string
	}{
		{"as the page writes it", "sheet,vote,voter\nt-1,A,\"x, \"\"y\"\"\"\nt-2,=,z\n", []Vote{{"t-1", `x, "y"`, 'A'}, {"t-2", "z", '='}}, ""},
		{"by hand: other order, letters, spaces, a mark of UTF-8, file names, an open question", "\ufeffVote, Sheet\nb,t-1.png\n,t-2\n", []Vote{{"t-1", "ann", 'B'}}, ""},
		{"a word for a vote", "sheet,vote\nt-1,left\n", nil, `row 2: vote "left"`},
		{"no head", "t-1,A\n", nil, "does not name the columns"},
		{"nothing", "", nil, "empty"},
		{"a row of another length", "sheet,vote\nt-1\n", nil, "wrong number of fields"},
	}
	for _, tt := range tests {
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		votes, err := ReadVotes(path)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.err)
			}
			continue
		}
		if err != nil || len(votes) != len(tt.votes) {
			t.Errorf("%s: %v (%v)", tt.reason, votes, err)
			continue
		}
		for i := range votes {
			if votes[i] != tt.votes[i] {
				t.Errorf("%s: vote %d is %+v, want %+v", tt.reason, i, votes[i], tt.votes[i])
			}
		}
	}
	if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), "not the key") {
		t.Errorf("votes in place of the key: %v", err)
	}
}
