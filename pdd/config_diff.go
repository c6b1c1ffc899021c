package pdd

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// goesOn are fields that a run may be continued with at other values and still be the same run as far as it was.
var goesOn = []string{"steps", "output.", "validation.", "data.workers", "data.cache_mib", "data.max_bad", "optimizer.milestones",
	"compute.threads", "compute.recompute"}

// changes names the fields in which c differs from an earlier configuration of the same run, with both values, where
// the run from then on is not what either alone would have made.
func (c *Config) changes(from *Config) (list []string) { return c.differences(from, goesOn, "was") }

// differences names the fields in which c differs from another configuration, with both values, but for those whose
// paths begin with one of except.
func (c *Config) differences(from *Config, except []string, word string) (list []string) {
	values := func(c *Config) map[string]string {
		m := map[string]string{}
		for _, f := range valuesOf(reflect.ValueOf(c).Elem(), "") {
			if !slices.ContainsFunc(except, func(p string) bool { return strings.HasPrefix(f.path, p) }) {
				m[f.path] = fmt.Sprint(f.value.Interface())
			}
		}
		return m
	}
	now, before := values(c), values(from)
	for path, v := range now {
		if before[path] != v {
			list = append(list, fmt.Sprintf("%s: %s, %s %s", path, orNone(v), word, orNone(before[path])))
		}
	}
	for path, v := range before {
		if _, there := now[path]; !there {
			list = append(list, fmt.Sprintf("%s: none, %s %s", path, word, orNone(v)))
		}
	}
	slices.Sort(list)
	return list
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
