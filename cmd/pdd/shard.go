package main

import (
	"fmt"
	"hash/fnv"
	"path/filepath"
	"strings"
)

// shard is one of so many parts of a set of images; the zero value is the whole.
type shard struct{ index, of int }

// UnmarshalText reads i/n, i from 0 to n-1.
func (s *shard) UnmarshalText(text []byte) error {
	var rest string
	n, _ := fmt.Sscanf(string(text)+" ", "%d/%d%s", &s.index, &s.of, &rest)
	if n != 2 || strings.ContainsAny(string(text), " +") || s.index < 0 || s.index >= s.of {
		return fmt.Errorf("%q: want I/N with I from 0 to N-1, such as 0/8 for the first of eight", text)
	}
	return nil
}

// has tells whether an image belongs to the part. That depends on its path below the input that named it alone, not on
// what else is there: the FNV-1a hash of the path with slashes, modulo the number of parts.
func (s shard) has(rel string) bool {
	if s.of == 0 {
		return true
	}
	h := fnv.New64a()
	h.Write([]byte(filepath.ToSlash(rel)))
	return h.Sum64()%uint64(s.of) == uint64(s.index)
}

// jobs are those of the part, and all folders that cannot be read: they may hide images of any part.
func (s shard) jobs(all []job) (mine []job) {
	for _, j := range all {
		if s.has(j.rel) || j.err != nil {
			mine = append(mine, j)
		}
	}
	return mine
}
