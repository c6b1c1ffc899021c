package pdd

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/losses"
)

// Values of an imported file: numbers, texts, true, false, nil, lists ([]any) and mappings (yaml.MapSlice).

// assign sets what to points to, or calls it.
func assign(v, to any) error {
	switch to := to.(type) {
	case func(any) error:
		return to(v)
	case encoding.TextUnmarshaler:
		return to.UnmarshalText([]byte(show(v)))
	case *bool:
		b, ok := v.(bool)
		*to = b
		return unless(ok, v, "true or false")
	case *string:
		s, ok := v.(string)
		*to = s
		return unless(ok, v, "a text")
	case *[]string:
		s, ok := v.(string)
		*to = []string{s}
		return unless(ok, v, "a path")
	case *float64:
		x, ok := number(v)
		*to = x
		return unless(ok, v, "a number")
	case *int:
		x, ok := number(v)
		*to = int(x)
		return unless(ok && x == math.Trunc(x) && math.Abs(x) < 1<<53, v, "a whole number")
	case *uint64:
		x, ok := number(v)
		*to = uint64(x)
		return unless(ok && x == math.Trunc(x) && x >= 0 && x < 1<<53, v, "a whole number of at least 0")
	case *[]int:
		return assignList(v, to)
	case *losses.Layers:
		return assignLayers(v, to)
	}
	return fmt.Errorf("no rule sets a %v", reflect.TypeOf(to))
}

func assignList(v any, to *[]int) error {
	list, ok := v.([]any)
	*to = make([]int, len(list))
	for i, x := range list {
		if err := assign(x, &(*to)[i]); err != nil {
			return err
		}
	}
	return unless(ok, v, "a list of whole numbers")
}

func assignLayers(v any, to *losses.Layers) error {
	list, ok := v.(yaml.MapSlice)
	*to = losses.Layers{}
	for _, item := range list {
		x, isNumber := number(item.Value)
		if !isNumber {
			return fmt.Errorf("%v: %s: want a number", item.Key, show(item.Value))
		}
		(*to)[fmt.Sprint(item.Key)] = x
	}
	return unless(ok, v, "layers with numbers")
}

func unless(ok bool, v any, want string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s: want %s", show(v), want)
}

// number reads a number, or a text such as 1/3 or 1e-4, which YAML 1.1 takes for texts.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case int:
		return float64(v), true
	case float64:
		return v, true
	case string:
		over, under, isFraction := strings.Cut(v, "/")
		x, err := strconv.ParseFloat(strings.TrimSpace(over), 64)
		if err == nil && isFraction {
			var y float64
			y, err = strconv.ParseFloat(strings.TrimSpace(under), 64)
			x /= y
		}
		return x, err == nil
	}
	return 0, false
}

// show is a value for people.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "~"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = show(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case yaml.MapSlice:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = fmt.Sprintf("%v: %s", item.Key, show(item.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}
