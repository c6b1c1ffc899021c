package pdd

import (
	"encoding"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/losses"
)

var updateDocs = flag.Bool("update-docs", false, "rewrite docs/CONFIG.md's tables and docs/config.schema.json")

// leaf is a value of Config with all that is known about it.
type leaf struct {
	field
	meaning string // the comment in the source
}

// everything is a Config with all sections.
func everything() Config {
	return Config{Specialist: NetworkConfig{New: &Sizes{}}, Generalist: GeneralistConfig{NetworkConfig: NetworkConfig{New: &Sizes{}}}}
}

// comments are those of the fields of all structs in a file, by struct.field.
func comments(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
				for _, name := range f.Names {
					text = strings.TrimPrefix(strings.TrimPrefix(text, name.Name+" "), "is ")
					out[spec.Name.Name+"."+name.Name] = strings.TrimSuffix(text, ".")
				}
			}
		}
		return false
	})
	return out
}

// leaves lists all values with their meanings. Values that have no comment of their own have their section's.
func leaves(t *testing.T) []leaf {
	t.Helper()
	text := comments(t, "config.go")
	for name, comment := range comments(t, "../losses/wavelet.go") {
		text[name] = comment
	}
	meanings := map[string]string{}
	var walk func(v reflect.Type, path, above string)
	walk = func(v reflect.Type, path, above string) {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		for i := range v.NumField() {
			f := v.Field(i)
			name, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			meaning := text[v.Name()+"."+f.Name]
			switch kind := f.Type.Kind(); {
			case option == "inline":
				walk(f.Type, path, "")
			case kind == reflect.Struct || kind == reflect.Pointer:
				walk(f.Type, join(path, name), meaning)
			case meaning == "":
				meanings[join(path, name)] = above + ": " + name
			default:
				meanings[join(path, name)] = meaning
			}
		}
	}
	walk(reflect.TypeFor[Config](), "", "")
	var list []leaf
	for _, f := range valuesOf(reflect.ValueOf(everything()), "") {
		list = append(list, leaf{f, meanings[f.path]})
	}
	return list
}

// choices are the texts of a value's type, if it has names.
func (l leaf) choices() (texts []string) {
	v := reflect.New(l.value.Type()).Elem()
	if _, ok := v.Interface().(encoding.TextMarshaler); !ok {
		switch l.path {
		case "data.degradation.preset":
			return append([]string{""}, data.Presets...)
		case "specialist.new.kind", "generalist.new.kind":
			return []string{"rrdbnet", "srvgg"}
		}
		return nil
	}
	for i := int64(0); ; i++ {
		if v.CanInt() {
			v.SetInt(i)
		} else {
			v.SetUint(uint64(i))
		}
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return texts
		}
		texts = append(texts, string(text))
	}
}

// allowed is what a value may be, for people.
func (l leaf) allowed() string {
	if texts := l.choices(); texts != nil {
		texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
		return "`" + strings.Join(texts, "`, `") + "`"
	}
	switch l.value.Interface().(type) {
	case bool:
		return "true or false"
	case int:
		return "whole, " + l.interval().String()
	case float64:
		return l.interval().String()
	case uint64:
		return "whole, at least 0"
	case []int:
		return "list of whole numbers, at least 1"
	case []string:
		return "list of texts"
	case losses.Layers:
		return "`conv1_1` to `conv5_4`, each at least 0"
	case string:
		return "text"
	}
	return "mapping"
}

// shown is a value of a preset, for people.
func shown(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		text, _ := x.MarshalText()
		return string(text)
	case losses.Layers:
		parts := make([]string, 0, len(x))
		for _, name := range x.Names() {
			parts = append(parts, fmt.Sprintf("%s %v", name, x[name]))
		}
		return strings.Join(parts, ", ")
	case []int, []string:
		return strings.Trim(fmt.Sprint(x), "[]")
	case nil:
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// inPresets is a value in every preset: the commonest first, then the others with their presets.
func (l leaf) inPresets() string {
	names := map[string][]string{}
	var order []string
	for _, p := range presets {
		text := "–"
		for _, f := range valuesOf(reflect.ValueOf(p.make()), "") {
			if s := shown(f.value); f.path == l.path && s != "" {
				text = "`" + s + "`"
			}
		}
		if names[text] == nil {
			order = append(order, text)
		}
		names[text] = append(names[text], p.name)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(names[b]) - len(names[a]) })
	cell := order[0]
	for _, text := range order[1:] {
		cell += "; " + presetList(names[text]) + ": " + text
	}
	return cell
}

// presetList is a list of presets, all of those as released in two words.
func presetList(names []string) string {
	all := func(names []string) (released []string) {
		for _, n := range names {
			if strings.HasSuffix(n, "-as-released") {
				released = append(released, n)
			}
		}
		return released
	}
	if list := all(names); len(list) == len(all(PresetNames())) {
		names = append(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(list, n) }), "all as released")
	}
	return strings.Join(names, ", ")
}

// table has a row for each value.
func table(list []leaf) string {
	var b strings.Builder
	section := "-"
	for _, l := range list {
		head, _, below := strings.Cut(l.path, ".")
		if !below {
			head = ""
		}
		if head != section {
			section = head
			title := "`" + head + "`"
			if head == "" {
				title = "At the top"
			}
			fmt.Fprintf(&b, "\n### %s\n\n| field | meaning | may be | in the presets | source |\n|---|---|---|---|---|\n", title)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", l.path, strings.ReplaceAll(plain(l.meaning), "|", "\\|"), l.allowed(), l.inPresets(), sources[l.path])
	}
	return b.String()
}

var docLink = regexp.MustCompile(`\[([A-Z]\w*(?:\.\w+)?)\]`)

// plain is a comment without links of package documentation.
func plain(comment string) string { return docLink.ReplaceAllString(comment, "$1") }

// topFirst puts the values that are in no section first.
func topFirst(list []leaf) []leaf {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b leaf) int {
		inSection := func(l leaf) int { return min(strings.Count(l.path, "."), 1) }
		return inSection(a) - inSection(b)
	})
	return list
}

// compare holds a file against what it must be, or writes that.
func compare(t *testing.T, path, want string) {
	t.Helper()
	if *updateDocs {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the code says: go test ./pdd -run Docs -update-docs", filepath.Base(path))
	}
}

const configDoc = "../docs/CONFIG.md"

func TestDocsTable(t *testing.T) {
	text, err := os.ReadFile(configDoc)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- fields: written by go test ./pdd -run Docs -update-docs -->\n", "<!-- end of fields -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its tables", configDoc)
	}
	list := leaves(t)
	for _, l := range list {
		if l.meaning == "" {
			t.Errorf("%s has no comment in config.go", l.path)
		}
		if sources[l.path] == "" {
			t.Errorf("%s has no source", l.path)
		}
		if _, err := parseInterval(l.limit); l.limit != "" && err != nil {
			t.Errorf("%s: %v", l.path, err)
		}
	}
	if len(sources) != len(list) {
		t.Errorf("%d sources for %d fields", len(sources), len(list))
	}
	compare(t, configDoc, before+begin+table(topFirst(list))+"\n"+end+after)
	checkNames(t, before+after, list)
}

// checkNames demands that what the text around the tables calls a field is one.
func checkNames(t *testing.T, text string, list []leaf) {
	t.Helper()
	known := map[string]bool{}
	for _, l := range list {
		for path := l.path; path != ""; path = path[:max(strings.LastIndexByte(path, '.'), 0)] {
			known[path] = true
		}
	}
	for _, m := range regexp.MustCompile("`([a-z_]+(?:\\.[a-z0-9_]+)+)`").FindAllStringSubmatch(text, -1) {
		if head, _, _ := strings.Cut(m[1], "."); known[head] && !known[m[1]] {
			t.Errorf("%s speaks of a field %s", configDoc, m[1])
		}
	}
}
