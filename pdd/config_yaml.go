package pdd

import (
	"bytes"

	"github.com/goccy/go-yaml"
)

// YAML is the whole configuration as YAML.
func (c Config) YAML() ([]byte, error) { return yaml.Marshal(c) }

// ParseConfig reads what YAML writes.
func ParseConfig(text []byte) (Config, error) {
	var c Config
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&c)
	return c, err
}
