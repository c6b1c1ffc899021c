package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// The examples in deploy/ are well-formed, and their command lines are ones that pdd takes.
func TestDeployExamples(t *testing.T) {
	paths, err := filepath.Glob("../../deploy/*")
	if err != nil || len(paths) < 6 {
		t.Fatalf("%d examples, %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var lines [][]string
		switch filepath.Ext(path) {
		case ".yaml":
			var tree any
			if err := yaml.Unmarshal(text, &tree); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			lines = commandsIn(tree)
		case ".sbatch", ".sh":
			if said, err := exec.Command("bash", "-n", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %s", path, said)
			}
			for _, m := range regexp.MustCompile(`(?m)^[^#\n]*?\bpdd (.*)$`).FindAllSubmatch(text, -1) {
				lines = append(lines, append([]string{"pdd"}, strings.Fields(string(m[1]))...))
			}
		default:
			continue
		}
		if len(lines) == 0 {
			t.Errorf("%s: no command of pdd in it", path)
		}
		for _, line := range lines {
			checkCommandLine(t, path, line)
		}
	}
}

// commandsIn collects the values of all keys named command.
func commandsIn(tree any) (list [][]string) {
	switch v := tree.(type) {
	case map[string]any:
		for key, below := range v {
			words, ok := below.([]any)
			if key != "command" || !ok {
				list = append(list, commandsIn(below)...)
				continue
			}
			var line []string
			for _, w := range words {
				line = append(line, w.(string))
			}
			list = append(list, line)
		}
	case []any:
		for _, below := range v {
			list = append(list, commandsIn(below)...)
		}
	}
	return list
}

// checkCommandLine parses a line with numbers in place of variables, and a file that exists in place of its own.
func checkCommandLine(t *testing.T, path string, line []string) {
	t.Helper()
	variable := regexp.MustCompile(`"?\$\(?[A-Z_]+\)?|\{\}`)
	for i, word := range line {
		line[i] = strings.Trim(variable.ReplaceAllString(word, "0"), `"`)
		if strings.HasSuffix(word, ".yaml") {
			line[i] = "../../deploy/kubernetes-train.yaml"
		}
	}
	parser, err := kong.New(&cli{}, evalVars, kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(line[1:]); err != nil || line[0] != "pdd" {
		t.Errorf("%s: %q: %v", path, line, err)
	}
}
