package compare

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Vote is one answer to a question of a blind test.
type Vote struct {
	Sheet, Voter string
	Choice       byte // 'A', 'B' or '=' for a tie
}

// ReadKey reads the key file that [Comparison.Blind] wrote.
func ReadKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("compare: read key: %w", err)
	}
	var k Key
	if err := json.Unmarshal(text, &k); err != nil || len(k.Sheets) == 0 {
		return nil, fmt.Errorf("compare: read key %q: not the key of a blind test", path)
	}
	return &k, nil
}

// ReadVotes reads a file of votes: comma-separated, the columns sheet and vote (A, B, or = for a tie; nothing for not
// judged), and voter where several voted; without one the voter is the file's name.
func ReadVotes(path string) ([]Vote, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("compare: read votes: %w", err)
	}
	defer f.Close()
	votes, err := readVotes(f, stem(filepath.Base(path)))
	if err != nil {
		return nil, fmt.Errorf("compare: read votes %q: %w", path, err)
	}
	return votes, nil
}

func readVotes(r io.Reader, voter string) ([]Vote, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	rows, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the file is empty")
	}
	column := func(name string) int {
		return slices.IndexFunc(rows[0], func(s string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(s, "\ufeff")), name)
		})
	}
	sheet, vote, who := column("sheet"), column("vote"), column("voter")
	if sheet < 0 || vote < 0 {
		return nil, errors.New("the first line does not name the columns sheet and vote")
	}
	var votes []Vote
	for i, row := range rows[1:] {
		v := Vote{Sheet: strings.TrimSuffix(strings.TrimSpace(row[sheet]), ".png"), Voter: voter}
		if who >= 0 && strings.TrimSpace(row[who]) != "" {
			v.Voter = strings.TrimSpace(row[who])
		}
		switch choice := strings.ToUpper(strings.TrimSpace(row[vote])); choice {
		case "":
			continue
		case "A", "B", "=":
			v.Choice = choice[0]
		default:
			return nil, fmt.Errorf("row %d: vote %q: want A, B or =", i+2, row[vote])
		}
		votes = append(votes, v)
	}
	return votes, nil
}

// Tally is the outcome of a blind test.
type Tally struct {
	Test    string        `json:"test"`
	Votes   int           `json:"votes"`
	Voters  int           `json:"voters"`
	Open    int           `json:"open"` // questions not answered, over all voters
	Pairs   []Preference  `json:"pairs"`
	Systems []SystemTally `json:"systems"`
}

// Preference counts the votes between two systems, First before Second by name.
type Preference struct {
	First      string `json:"first"`
	Second     string `json:"second"`
	FirstWins  int    `json:"first_wins"`
	SecondWins int    `json:"second_wins"`
	Ties       int    `json:"ties"`
	Share      Share  `json:"share"` // of First, without the ties
}

// SystemTally counts a system's votes against all others.
type SystemTally struct {
	Name   string `json:"name"`
	Wins   int    `json:"wins"`
	Losses int    `json:"losses"`
	Ties   int    `json:"ties"`
	Share  Share  `json:"share"` // of the wins, without the ties
}

// Share is a proportion and its 95 % Wilson interval; null in JSON where nothing was counted.
type Share struct {
	Value, Low, High float64
}

// MarshalJSON writes value, low and high.
func (s Share) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]number{"value": number(s.Value), "low": number(s.Low), "high": number(s.High)})
}

// NewShare is hits out of n with the 95 % interval of Wilson (1927) without continuity correction, all NaN for n = 0.
func NewShare(hits, n int) Share {
	if n == 0 {
		return Share{math.NaN(), math.NaN(), math.NaN()}
	}
	const z = 1.959963984540054 // of the normal distribution, 97.5 %
	N, p := float64(n), float64(hits)/float64(n)
	centre := (p + z*z/(2*N)) / (1 + z*z/N)
	half := z / (1 + z*z/N) * math.Sqrt(p*(1-p)/N+z*z/(4*N*N))
	return Share{p, max(centre-half, 0), min(centre+half, 1)}
}

// Count counts votes. Votes on sheets that the key does not know, and two votes of one voter on one sheet, are errors.
func (k *Key) Count(votes []Vote) (*Tally, error) {
	sheets := map[string]Sheet{}
	for _, s := range k.Sheets {
		sheets[s.Name] = s
	}
	t := &Tally{Test: k.Test}
	voters, seen := map[string]bool{}, map[Vote]bool{}
	for _, v := range votes {
		s, ok := sheets[v.Sheet]
		if !ok {
			return nil, fmt.Errorf("compare: count votes: sheet %q of %s is not of the test %s: take the key that belongs to it", v.Sheet, v.Voter, k.Test)
		}
		once := Vote{Sheet: v.Sheet, Voter: v.Voter}
		if seen[once] {
			return nil, fmt.Errorf("compare: count votes: two votes of %s on sheet %s: keep one", v.Voter, v.Sheet)
		}
		seen[once], voters[v.Voter] = true, true
		t.add(s, v.Choice)
	}
	t.Voters = len(voters)
	t.Open = t.Voters*len(k.Sheets) - t.Votes
	t.finish(k.Systems)
	return t, nil
}

func (t *Tally) add(s Sheet, choice byte) {
	first, second := s.A, s.B
	if first > second {
		first, second = second, first
	}
	i := slices.IndexFunc(t.Pairs, func(p Preference) bool { return p.First == first && p.Second == second })
	if i < 0 {
		i = len(t.Pairs)
		t.Pairs = append(t.Pairs, Preference{First: first, Second: second})
	}
	p := &t.Pairs[i]
	t.Votes++
	switch {
	case choice == '=':
		p.Ties++
	case (choice == 'A') == (s.A == first):
		p.FirstWins++
	default:
		p.SecondWins++
	}
}

// finish sorts the pairs and sums up the systems, the most preferred first.
func (t *Tally) finish(systems []string) {
	slices.SortFunc(t.Pairs, func(a, b Preference) int { return strings.Compare(a.First+"\n"+a.Second, b.First+"\n"+b.Second) })
	for _, name := range systems {
		s := SystemTally{Name: name}
		for i := range t.Pairs {
			p := &t.Pairs[i]
			p.Share = NewShare(p.FirstWins, p.FirstWins+p.SecondWins)
			switch name {
			case p.First:
				s.Wins, s.Losses, s.Ties = s.Wins+p.FirstWins, s.Losses+p.SecondWins, s.Ties+p.Ties
			case p.Second:
				s.Wins, s.Losses, s.Ties = s.Wins+p.SecondWins, s.Losses+p.FirstWins, s.Ties+p.Ties
			}
		}
		s.Share = NewShare(s.Wins, s.Wins+s.Losses)
		t.Systems = append(t.Systems, s)
	}
	slices.SortStableFunc(t.Systems, func(a, b SystemTally) int {
		switch {
		case a.Share.Value > b.Share.Value || math.IsNaN(b.Share.Value) && !math.IsNaN(a.Share.Value):
			return -1
		case b.Share.Value > a.Share.Value || math.IsNaN(a.Share.Value) && !math.IsNaN(b.Share.Value):
			return 1
		}
		return 0
	})
}
