package losses_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/losses"
)

type choice interface {
	fmt.Stringer
	encoding.TextMarshaler
}

// Every value has a text, which reads back as that value in JSON and YAML; anything else is an error that tells the
// choices.
func TestChoices(t *testing.T) {
	checkChoice(t, "ce l1 l2 cosine", criteria...)
	checkChoice(t, "whole per_sample", norms...)
	checkChoice(t, "l1 l2 charbonnier", distances...)
	checkChoice(t, "vanilla lsgan hinge wgan wgan_softplus", gans...)
}

func checkChoice[V interface {
	~uint8
	choice
}](t *testing.T, texts string, values ...V) {
	t.Helper()
	names := strings.Fields(texts)
	if len(names) != len(values) {
		t.Fatalf("%d values, texts %v", len(values), names)
	}
	type config struct{ Choice V }
	for i, v := range values {
		if v.String() != names[i] {
			t.Errorf("got %q, want %q", v, names[i])
		}
		for form, codec := range codecs {
			text, err := codec.marshal(config{v})
			if err != nil || !strings.Contains(string(text), names[i]) {
				t.Errorf("%s: %q, %v", form, text, err)
			}
			var back config
			if err := codec.unmarshal(text, &back); err != nil || back.Choice != v {
				t.Errorf("%s: %q read back as %v, %v", form, text, back.Choice, err)
			}
		}
	}
	for _, codec := range codecs {
		err := codec.unmarshal([]byte(`{"choice": "huber"}`), new(config))
		if err == nil || !strings.Contains(err.Error(), strings.Join(names, ", ")) {
			t.Errorf("got %v, want the choices %v", err, names)
		}
	}
	beyond := values[0] + V(len(values))
	if text, err := beyond.MarshalText(); err == nil {
		t.Errorf("%d became %q", beyond, text)
	}
	if text := beyond.String(); !strings.Contains(text, fmt.Sprint(len(values))) {
		t.Errorf("%d is called %q", uint8(beyond), text)
	}
}

var codecs = map[string]struct {
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}{
	"JSON": {json.Marshal, json.Unmarshal},
	"YAML": {yaml.Marshal, func(text []byte, v any) error { return yaml.Unmarshal(text, v) }},
}

func TestBandsAndLayersInFiles(t *testing.T) {
	type config struct {
		Bands  losses.Bands  `json:"bands" yaml:"bands"`
		Layers losses.Layers `json:"layers" yaml:"layers"`
	}
	const text = `{"bands": {"low": 1, "middle": 0.1, "high": 0.01}, "layers": {"conv1_2": 0.5}}`
	for form, codec := range codecs { // JSON is YAML too
		var c config
		if err := codec.unmarshal([]byte(text), &c); err != nil || c.Bands != all || c.Layers["conv1_2"] != 0.5 {
			t.Errorf("%s: %+v, %v", form, c, err)
		}
	}
}
