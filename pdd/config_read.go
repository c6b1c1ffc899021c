package pdd

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFile is a configuration as a YAML file has it.
type configFile struct {
	Preset   string   `yaml:"preset"`
	Ablation Ablation `yaml:"ablation"`
	Config   `yaml:",inline"`
}

func parseConfig(text []byte) (Config, error) {
	file, keys, err := readOver(text, false, func(f configFile) (Config, error) { return start(f.Preset, f.Ablation) })
	switch {
	case err != nil:
		return Config{}, err
	case file.Preset != "":
		file.replaceAlternatives(keys)
	case !slices.Contains(keys, "method"):
		return Config{}, fmt.Errorf("there is no preset: begin with a line such as preset: ema (or one of %s)", strings.Join(PresetNames()[1:], ", "))
	}
	return file.Config, nil
}

func (c Config) with(changes []byte) (Config, error) {
	file, keys, err := readOver(changes, true, func(f configFile) (Config, error) {
		switch {
		case f.Preset != "":
			return Config{}, errors.New("preset: changes have none: begin with it")
		case f.Ablation != "":
			return c.Ablate(f.Ablation)
		}
		return c, nil
	})
	if err != nil {
		return Config{}, err
	}
	file.replaceAlternatives(keys)
	return file.Config, nil
}

// readOver reads the text twice: for what it begins with, which base makes a configuration of, then over that. It returns
// the paths of the fields that were there. null is readFields'.
func readOver(text []byte, null bool, base func(configFile) (Config, error)) (file configFile, keys []string, err error) {
	root, err := parseYAML(text)
	if err != nil {
		return file, nil, err
	}
	if _, err = readFields(root, &file, null); err != nil {
		return file, nil, err
	}
	if file.Config, err = base(file); err != nil {
		return file, nil, err
	}
	keys, err = readFields(root, &file, null)
	return file, keys, err
}

// maxYAML bounds the text, which a checkpoint from elsewhere may bring.
const maxYAML = 1 << 20

// parseYAML gives the text's only document. Aliases are refused: a short text can say too much with them.
func parseYAML(text []byte) (ast.Node, error) {
	if len(text) > maxYAML {
		return nil, fmt.Errorf("%d bytes of YAML: want at most %d", len(text), maxYAML)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, lineError(err)
	}
	docs := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) != 1 {
		return nil, fmt.Errorf("%d YAML documents: want one", len(docs))
	}
	var v refuseAliases
	ast.Walk(&v, docs[0].Body)
	return docs[0].Body, v.err
}

// lineError is an error of package yaml in one line, without the excerpt of its text.
func lineError(err error) error {
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil {
		return fmt.Errorf("line %d: %s", e.GetToken().Position.Line, e.GetMessage())
	}
	return err
}

type refuseAliases struct{ err error }

func (v *refuseAliases) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		v.err = fmt.Errorf("line %d: anchors and aliases are not read: write the value out", lineOf(n))
		return nil
	}
	return v
}

func lineOf(n ast.Node) int { return n.GetToken().Position.Line }

// fieldReader sets the fields of a struct from a YAML mapping.
type fieldReader struct {
	problems problems
	keys     []string // that were there, e.g. optimizer.lr
	null     bool     // is a value: none
}

// readFields sets the fields of the struct that to points to and returns the paths of those that were there. With null,
// that takes a value or a section away that may be absent. All problems are reported.
func readFields(root ast.Node, to any, null bool) (keys []string, err error) {
	r := fieldReader{null: null}
	r.section(root, reflect.ValueOf(to).Elem(), "")
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.keys, nil
}

func (r *fieldReader) problem(n ast.Node, format string, args ...any) {
	r.problems.add(fmt.Sprintf("line %d", lineOf(n)), format, args...)
}

// pairs lists a mapping's keys with their values; ok is false for other nodes.
func pairs(n ast.Node) (list []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func (r *fieldReader) section(n ast.Node, v reflect.Value, path string) {
	list, ok := pairs(n)
	if _, empty := n.(*ast.NullNode); !ok && !empty {
		r.problem(n, "%s: want keys with values below it", cmp.Or(path, "the file"))
		return
	}
	fields := fieldsOf(v, path)
	for _, pair := range list {
		key := pair.Key.GetToken().Value
		i := slices.IndexFunc(fields, func(f field) bool { return f.name() == key })
		if i < 0 {
			r.unknown(pair, key, path, fields)
			continue
		}
		f := fields[i]
		r.keys = append(r.keys, f.path)
		switch {
		case !f.isSection():
			r.value(pair.Value, f)
		case f.value.Kind() == reflect.Struct:
			r.section(pair.Value, f.value, f.path)
		case r.null && pair.Value.Type() == ast.NullType:
			f.value.SetZero()
		default:
			own := reflect.New(f.value.Type().Elem()) // the struct may be another configuration's too
			if !f.value.IsNil() {
				own.Elem().Set(f.value.Elem())
			}
			f.value.Set(own)
			r.section(pair.Value, own.Elem(), f.path)
		}
	}
}

// unknown reports a key that does not exist, with where it does or what there is.
func (r *fieldReader) unknown(n ast.Node, key, path string, fields []field) {
	var at []string
	for _, f := range valuesOf(reflect.ValueOf(configFile{}), "") {
		if f.name() == key {
			at = append(at, f.path)
		}
	}
	if len(at) > 0 {
		r.problem(n, "unknown key %q: there is %s", join(path, key), strings.Join(at, ", "))
		return
	}
	for _, f := range fields {
		at = append(at, f.name())
	}
	r.problem(n, "unknown key %q: want one of %s", join(path, key), strings.Join(at, ", "))
}

// value replaces a value that is no section.
func (r *fieldReader) value(n ast.Node, f field) {
	v := f.value
	if tag, ok := n.(*ast.TagNode); ok && v.Kind() != reflect.Interface {
		n = tag.Value // !!float
	}
	v.SetZero()
	var err error
	switch list, isList := n.(*ast.SequenceNode); {
	case n.Type() == ast.NullType && r.null:
	case n.Type() == ast.NullType:
		err = errors.New("there is no value: give one, or remove the line")
	case v.CanInt() && !isText(v), v.CanUint() && !isText(v):
		err = readWhole(n, v)
	case v.Kind() == reflect.Slice && !isList:
		err = errors.New("want a list such as [a, b]")
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Int:
		v.Set(reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values)))
		for i, element := range list.Values {
			err = errors.Join(err, readWhole(element, v.Index(i)))
		}
	default:
		err = decodeNode(n, v)
	}
	if k := v.Kind(); (k == reflect.Slice || k == reflect.Map) && v.Len() == 0 {
		v.SetZero()
	}
	if err != nil {
		r.problem(n, "%s: %s", f.path, strings.TrimPrefix(strings.TrimPrefix(yamlMessage(err), "pdd: "), "losses: "))
	}
}

func decodeNode(n ast.Node, v reflect.Value) error { return yaml.NodeToValue(n, v.Addr().Interface()) }

// readWhole reads a whole number, which may be written as 1e5. Package yaml would cut fractions off.
func readWhole(n ast.Node, v reflect.Value) error {
	if n.Type() == ast.IntegerType {
		return decodeNode(n, v)
	}
	var x float64
	if err := decodeNode(n, reflect.ValueOf(&x).Elem()); err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return fmt.Errorf("%s: want a whole number", n.GetToken().Value)
	}
	if v.CanUint() {
		if x < 0 {
			return fmt.Errorf("%v: want at least 0", x)
		}
		v.SetUint(uint64(x))
		return nil
	}
	v.SetInt(int64(x))
	return nil
}

// isText tells numbers that have names.
func isText(v reflect.Value) bool {
	_, ok := v.Interface().(encoding.TextMarshaler)
	return ok
}
