package data

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Pair is an LR picture and its HR picture.
type Pair struct{ LR, HR Item }

// Found is what [Find] made of a data set.
type Found struct {
	Pairs []Pair // LR with HR
	HR    []Item // HR without LR: for LR made by a degradation
	LR    []Item // LR without HR: unlabelled
	Other []Item // pictures whose names say neither, and LR of other scales
}

// Find lists root as [List] does and tells HR from LR of the given scale by the names of the published data sets:
//
//   - RealSR (V3): *_HR.png, *_LR4.png in Canon and Nikon, Train and Test;
//   - DRealSR: train_HR/*_x1.png, train_LR/*_x4.png;
//   - NTIRE 2020 real-world: folders *-tr-x (LR, not paired), *-tr-y (HR, not paired), *-va-x with *_valid_HR;
//   - DIV2K, Flickr2K, DF2K: *_HR/0001.png with *_LR_bicubic/X4/0001x4.png;
//   - Set5, Set14 and the like: GTmod12 with LRbicx4, or image_SRF_4/*_SRF_4_HR.png with *_SRF_4_LR.png;
//   - folders called HR, GT, LR or LQ, and the stems that all of these leave.
//
// An LR picture belongs to the HR picture with the same name once those marks are taken off; where a name is used in
// several folders, the folders must agree too. Sub-images (NAME_s001.png, see [SubImages]) pair by their numbers too.
func Find(root string, scale int) (Found, error) {
	items, err := List(root)
	if err != nil {
		return Found{}, err
	}
	var f Found
	var hr, lr []Item
	for _, it := range items {
		switch roleOf(it.Key, scale) {
		case roleHR:
			hr = append(hr, it)
		case roleLR:
			lr = append(lr, it)
		case roleHROnly:
			f.HR = append(f.HR, it)
		case roleLROnly:
			f.LR = append(f.LR, it)
		default:
			f.Other = append(f.Other, it)
		}
	}
	pairs, restLR, restHR, err := match(lr, hr)
	if err != nil {
		return Found{}, fmt.Errorf("data: find pairs in %q: %w", root, err)
	}
	f.Pairs, f.LR, f.HR = pairs, append(f.LR, restLR...), append(f.HR, restHR...)
	return f, nil
}

// MatchPairs pairs the pictures of two places by name, as [Find] does. Every LR picture must have its HR picture;
// HR pictures may be left over.
func MatchPairs(lr, hr []Item) ([]Pair, error) {
	pairs, rest, _, err := match(lr, hr)
	if err != nil {
		return nil, fmt.Errorf("data: pair files: %w", err)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("data: pair files: %d of %d LR pictures have no HR picture of their name, first %q", len(rest), len(lr), rest[0].Path)
	}
	return pairs, nil
}

// ReadPairs reads a list of pairs: on each line the HR path, a comma, the LR path, relative to the list's folder (the
// order of Real-ESRGAN's paired meta-info files).
func ReadPairs(list string) ([]Pair, error) {
	lines, err := readLines(list)
	if err != nil {
		return nil, fmt.Errorf("data: read pairs: %w", err)
	}
	pairs := make([]Pair, len(lines))
	for i, line := range lines {
		hr, lr, ok := strings.Cut(line, ",")
		if !ok {
			return nil, fmt.Errorf("data: read pairs %q: line %q: want HR path, comma, LR path", list, line)
		}
		pairs[i] = Pair{LR: listed(list, strings.TrimSpace(lr)), HR: listed(list, strings.TrimSpace(hr))}
	}
	return pairs, nil
}

type role int

const (
	roleNone role = iota
	roleHR
	roleLR
	roleHROnly // of an unpaired set: names may coincide with those of its LR half by accident
	roleLROnly
)

// The marks in names, with the scale where they have one.
var (
	fileMark   = regexp.MustCompile(`(?i)(?:_SRF_(\d+))?_(HR|LR|GT|LQ)(\d*)$`)
	xMark      = regexp.MustCompile(`_?x(\d+)$`)
	folderMark = regexp.MustCompile(`(?i)(?:^|_)(HR|GT|GTmod\d+|original|LR|LQ|LRbic)(?:_[a-z]+)*_?(?:x(\d+))?$`)
	trackMark  = regexp.MustCompile(`(?i)-(tr|va|te)-([xy])$`)
	scaleMark  = regexp.MustCompile(`(?i)^x?([1-9])(?:_sub)?$`)
	partMark   = regexp.MustCompile(`_s\d+$`) // of [SubImages], after all others
)

// splitName is the file name of a key without extension, and the mark of a sub-image that it ends in, or "".
func splitName(key string) (name, part string) {
	stem := strings.TrimSuffix(path.Base(key), path.Ext(key))
	part = partMark.FindString(stem)
	return strings.TrimSuffix(stem, part), part
}

// roleOf reads the marks of a key's file name and of its folders, from the innermost outwards.
func roleOf(key string, scale int) role {
	dir, _ := path.Split(key)
	folders := strings.Split(strings.Trim(dir, "/"), "/")
	slices.Reverse(folders)
	inner := ""
	if m := scaleMark.FindStringSubmatch(folders[0]); m != nil {
		inner = m[1]
	}
	name, _ := splitName(key)
	if m := fileMark.FindStringSubmatch(name); m != nil {
		return roleOfMark(m[2], scale, m[1], m[3], inner)
	}
	for _, folder := range folders {
		if m := trackMark.FindStringSubmatch(folder); m != nil {
			return roleOfTrack(strings.ToLower(m[1]), strings.ToLower(m[2]))
		}
		if m := folderMark.FindStringSubmatch(folder); m != nil {
			return roleOfMark(m[1], scale, m[2], inner)
		}
	}
	return roleNone
}

// roleOfTrack is NTIRE's: x is the source domain, y the clean pictures; only validation pictures have pairs.
func roleOfTrack(set, side string) role {
	switch {
	case side == "y":
		return roleHROnly
	case set == "tr":
		return roleLROnly
	}
	return roleLR
}

// roleOfMark decides HR or LR, and drops what the names say belongs to another scale. scales are numbers or empty.
func roleOfMark(mark string, scale int, scales ...string) role {
	for _, s := range scales {
		if s != "" && s != strconv.Itoa(scale) {
			return roleNone
		}
	}
	if strings.HasPrefix(strings.ToLower(mark), "l") {
		return roleLR
	}
	return roleHR
}

// hrName is the lower-case file name without extension and HR marks.
func hrName(key string) string {
	name, part := splitName(key)
	return withoutHR(name) + part
}

func withoutHR(name string) string {
	return strings.TrimSuffix(strings.ToLower(fileMark.ReplaceAllString(name, "")), "_x1")
}

// lrNames are the names that the HR picture of an LR picture may have: its own, and that without the scale.
func lrNames(key string) []string {
	name, part := splitName(key)
	name = withoutHR(name)
	return []string{name + part, xMark.ReplaceAllString(name, "") + part}
}

// pairFolder is the key's folders without those that hold marks.
func pairFolder(key string) string {
	var keep []string
	for _, f := range strings.Split(path.Dir(key), "/") {
		if !folderMark.MatchString(f) && !scaleMark.MatchString(f) && !trackMark.MatchString(f) {
			keep = append(keep, f)
		}
	}
	return strings.Join(keep, "/") + "/"
}

// match pairs by name, or by folder and name where HR names repeat.
func match(lr, hr []Item) (pairs []Pair, restLR, restHR []Item, err error) {
	folder := pairFolder
	if distinctNames(hr) {
		folder = func(string) string { return "" }
	}
	byName := make(map[string]int, len(hr))
	for i, it := range hr {
		name := folder(it.Key) + hrName(it.Key)
		if j, twice := byName[name]; twice {
			return nil, nil, nil, fmt.Errorf("%q and %q could both be the HR picture %q: give their folders separately", hr[j].Path, it.Path, name)
		}
		byName[name] = i
	}
	taken := make([]bool, len(hr))
	for _, it := range lr {
		i := -1
		for _, name := range lrNames(it.Key) {
			if j, ok := byName[folder(it.Key)+name]; ok && i < 0 {
				i = j
			}
		}
		switch {
		case i < 0:
			restLR = append(restLR, it)
		case taken[i]:
			return nil, nil, nil, fmt.Errorf("%q has two LR pictures, one of them %q: give their folders separately", hr[i].Path, it.Path)
		default:
			taken[i] = true
			pairs = append(pairs, Pair{LR: it, HR: hr[i]})
		}
	}
	for i, it := range hr {
		if !taken[i] {
			restHR = append(restHR, it)
		}
	}
	return pairs, restLR, restHR, nil
}

func distinctNames(items []Item) bool {
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		seen[hrName(it.Key)] = true
	}
	return len(seen) == len(items)
}
