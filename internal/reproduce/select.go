package reproduce

import (
	"fmt"
	"slices"
	"strings"
)

// Select gives the rows that a selection names, in the order of [Rows]: separated by commas, SYSTEM@DATASET with * for
// all on either side, or the id of a place such as tab2. Empty: all rows. An unknown name is an error that suggests near
// ones.
func Select(selection string) ([]Row, error) {
	all := Rows()
	if strings.TrimSpace(selection) == "" {
		return all, nil
	}
	wanted := map[string]bool{}
	for part := range strings.SplitSeq(selection, ",") {
		ids, err := choose(all, strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			wanted[id] = true
		}
	}
	return slices.DeleteFunc(all, func(r Row) bool { return !wanted[r.ID()] }), nil
}

// choose gives the ids of the rows that one part of a selection names.
func choose(all []Row, part string) (ids []string, err error) {
	if slices.ContainsFunc(places, func(p Place) bool { return p.ID == part }) {
		for _, r := range all {
			if r.In(part) {
				ids = append(ids, r.ID())
			}
		}
		return ids, nil
	}
	system, dataset, ok := strings.Cut(part, "@")
	if !ok {
		return nil, fmt.Errorf("reproduce: row %q: want SYSTEM@DATASET or a table%s", part, suggest(part, append(placeIDs(), rowIDs(all)...)))
	}
	if system != "*" && !slices.ContainsFunc(systems, func(s System) bool { return s.ID == system }) {
		return nil, fmt.Errorf("reproduce: row %q: no system %q%s", part, system, suggest(system, systemIDs()))
	}
	if dataset != "*" && !slices.ContainsFunc(datasets, func(d Dataset) bool { return d.ID == dataset }) {
		return nil, fmt.Errorf("reproduce: row %q: no data set %q%s", part, dataset, suggest(dataset, datasetIDs()))
	}
	for _, r := range all {
		if (system == "*" || system == r.System.ID) && (dataset == "*" || dataset == r.Dataset.ID) {
			ids = append(ids, r.ID())
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("reproduce: row %q: the paper's tables have no such row%s", part, suggest(part, rowIDs(all)))
	}
	return ids, nil
}

func placeIDs() []string   { return idsOf(places, func(p Place) string { return p.ID }) }
func systemIDs() []string  { return idsOf(systems, func(s System) string { return s.ID }) }
func datasetIDs() []string { return idsOf(datasets, func(d Dataset) string { return d.ID }) }
func rowIDs(rows []Row) []string {
	return idsOf(rows, Row.ID)
}

func idsOf[T any](list []T, id func(T) string) []string {
	ids := make([]string, len(list))
	for i, v := range list {
		ids[i] = id(v)
	}
	return ids
}

// suggest ends an error with the nearest of the names, or with all where none is near.
func suggest(name string, names []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := distance(strings.ToLower(name), n); d < least {
			best, least = n, d
		}
	}
	if best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	if len(names) > 30 {
		return ""
	}
	return ": choose one of " + strings.Join(names, ", ")
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
