package pdd

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/losses"
)

// object is a JSON object.
type object = map[string]any

// schema is the JSON schema of a YAML file.
func schema(list []leaf) object {
	root := section("A configuration of pdd train: a preset and what differs from it.")
	root["$schema"], root["title"] = "https://json-schema.org/draft/2020-12/schema", "gopdd training configuration"
	root["type"] = "object"
	top := root["properties"].(object)
	top["preset"] = object{"enum": PresetNames(), "description": "the configuration that the rest of the file changes"}
	top["ablation"] = object{"enum": Ablations(), "description": "the choice of the unsupervised terms, for distillation"}
	for _, l := range list {
		at := root
		path := strings.Split(l.path, ".")
		for _, name := range path[:len(path)-1] {
			properties := at["properties"].(object)
			if properties[name] == nil {
				properties[name] = section("")
			}
			at = properties[name].(object)
		}
		value := l.schema()
		value["description"] = plain(l.meaning)
		at["properties"].(object)[path[len(path)-1]] = value
	}
	return root
}

// section may be empty in YAML, which is null.
func section(description string) object {
	s := object{"type": []string{"object", "null"}, "additionalProperties": false, "properties": object{}}
	if description != "" {
		s["description"] = description
	}
	return s
}

// schema is that of one value.
func (l leaf) schema() object {
	if texts := l.choices(); texts != nil {
		return object{"enum": texts}
	}
	switch l.value.Interface().(type) {
	case bool:
		return object{"type": "boolean"}
	case int:
		return l.interval().schema("integer")
	case float64:
		return l.interval().schema("number")
	case uint64:
		return object{"type": "integer", "minimum": 0}
	case []int:
		return object{"type": "array", "items": object{"type": "integer", "minimum": 1}}
	case []string:
		return object{"type": "array", "items": object{"type": "string", "minLength": 1}}
	case losses.Layers:
		return object{"type": "object", "propertyNames": object{"enum": slices.Concat(vggLayers[:]...)},
			"additionalProperties": object{"type": "number", "minimum": 0}}
	case string:
		if l.path == "compute.device" {
			return object{"type": "string", "pattern": deviceName.String()}
		}
		return object{"type": "string"}
	}
	return object{"type": "object"}
}

func (r interval) schema(kind string) object {
	low, high := "minimum", "maximum"
	if r.openLow {
		low = "exclusiveMinimum"
	}
	if r.openHigh {
		high = "exclusiveMaximum"
	}
	s := object{"type": kind, low: r.low}
	if r.high <= 1e18 {
		s[high] = r.high
	}
	return s
}

func TestDocsSchema(t *testing.T) {
	text, err := json.MarshalIndent(schema(leaves(t)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "../docs/config.schema.json", string(text)+"\n")
}
