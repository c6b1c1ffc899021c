// Package builtin carries the model that the program upscales with when nobody names another: docs/MODEL_CARD.md says
// what it is, recipes/default how it is made.
package builtin

import _ "embed"

// Path stands for the model where a weight file's path is wanted.
const Path = "builtin:default"

// File is the weight file: .safetensors, float16.
//
//go:embed default-x4.safetensors
var File []byte
