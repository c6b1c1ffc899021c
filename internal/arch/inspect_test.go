package arch

import (
	"testing"

	"github.com/gopdd/gopdd/internal/builtin"
)

// TestInspectBuiltIn: the model that is part of the program is inspected as files are.
func TestInspectBuiltIn(t *testing.T) {
	r, err := Inspect(builtin.Path, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Problem != "" || r.Network != "SRVGGNetCompact" || len(r.Parts) != 1 || r.Parts[0].Bytes > 1.5e6 || r.Parts[0].Bytes != int64(len(builtin.File)) {
		t.Errorf("%+v", r)
	}
}
