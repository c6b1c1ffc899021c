package pdd

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// field is a part of a Config under its name in YAML: a section (a struct, or a pointer to one) or a value.
type field struct {
	path  string // from the top, e.g. optimizer.lr
	value reflect.Value
	limit string // the tag range
}

// fieldsOf lists the fields of the section v, those of embedded sections among them.
func fieldsOf(v reflect.Value, path string) (list []field) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if option == "inline" {
			list = append(list, fieldsOf(v.Field(i), path)...)
			continue
		}
		list = append(list, field{join(path, name), v.Field(i), f.Tag.Get("range")})
	}
	return list
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (f field) name() string { return f.path[strings.LastIndexByte(f.path, '.')+1:] }

// isSection tells structs and pointers to structs from values.
func (f field) isSection() bool {
	t := f.value.Type()
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// valuesOf lists the values in the section v and the sections below it that are there.
func valuesOf(v reflect.Value, path string) (list []field) {
	for _, f := range fieldsOf(v, path) {
		switch {
		case !f.isSection():
			list = append(list, f)
		case f.value.Kind() == reflect.Struct:
			list = append(list, valuesOf(f.value, f.path)...)
		case !f.value.IsNil():
			list = append(list, valuesOf(f.value.Elem(), f.path)...)
		}
	}
	return list
}

// check tells what is wrong with a value by itself, or "".
func (f field) check() string {
	switch v := f.value.Interface().(type) {
	case encoding.TextMarshaler:
		if _, err := v.MarshalText(); err != nil {
			return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "pdd: "), "losses: ")
		}
	case int:
		return f.interval().check(float64(v))
	case float64:
		return f.interval().check(v)
	}
	return ""
}

// interval is that of the tag range, by default [0,inf).
func (f field) interval() interval {
	if f.limit == "" {
		return interval{high: math.Inf(1), openHigh: true}
	}
	r, _ := parseInterval(f.limit) // a test reads all tags
	return r
}

// interval is a range of numbers, without an end that is open.
type interval struct {
	low, high         float64
	openLow, openHigh bool
}

// parseInterval reads intervals such as (0,1] and [1,inf).
func parseInterval(text string) (r interval, err error) {
	low, high, ok := strings.Cut(text, ",")
	if !ok || !strings.ContainsRune("([", rune(text[0])) || !strings.ContainsRune(")]", rune(text[len(text)-1])) {
		return r, fmt.Errorf("pdd: range %q: want an interval such as (0,1]", text)
	}
	r.openLow, r.openHigh = text[0] == '(', text[len(text)-1] == ')'
	if r.low, err = strconv.ParseFloat(low[1:], 64); err == nil {
		r.high, err = strconv.ParseFloat(high[:len(high)-1], 64)
	}
	return r, err
}

// check is "" for a number inside.
func (r interval) check(x float64) string {
	if x > r.low && x < r.high || x == r.low && !r.openLow || x == r.high && !r.openHigh {
		return ""
	}
	return fmt.Sprintf("%v: want %v", x, r)
}

// String says it in words, e.g. "more than 0, at most 1".
func (r interval) String() string {
	low, high := "at least", "at most"
	if r.openLow {
		low = "more than"
	}
	if r.openHigh {
		high = "less than"
	}
	if math.IsInf(r.high, 1) {
		return fmt.Sprintf("%s %v", low, r.low)
	}
	return fmt.Sprintf("%s %v, %s %v", low, r.low, high, r.high)
}
