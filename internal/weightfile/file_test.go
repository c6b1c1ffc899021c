package weightfile

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	file := func(keys ...string) *File {
		f := &File{Path: "x.pth"}
		for _, k := range keys {
			f.Dicts = append(f.Dicts, StateDict{Key: k})
		}
		return f
	}
	tests := []struct {
		label, key, want string
		file             *File
		wantErr          string
	}{
		{"averaged weights first", "", "params_ema", file("params", "params_ema"), ""},
		{"raw before other entries", "", "params", file("state_dict", "params"), ""},
		{"bare", "", "", file(""), ""},
		{"an entry before stray tensors", "", "state_dict", file("", "state_dict"), ""},
		{"the only one", "", "netG", file("netG"), ""},
		{"named", "params", "params", file("params", "params_ema"), ""},
		{"named but not there", "netG", "", file("params", "params_ema"), `["params" "params_ema"]`},
		{"nothing to prefer", "", "", file("netG", "netD"), `["netG" "netD"]`},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			d, err := tt.file.Select(tt.key)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("error %v, want one with %s", err, tt.wantErr)
				}
				return
			}
			if err != nil || d.Key != tt.want {
				t.Errorf("got %q, %v; want %q", d.Key, err, tt.want)
			}
		})
	}
}

func TestOpenTellsFormatsByContent(t *testing.T) {
	dir := t.TempDir()
	graph, weights := tinySRVGG("")
	files := map[string][]byte{
		"zip.safetensors":    golden(t, "loaders_bare_zip/model.pth"), // the name lies
		"legacy":             golden(t, "loaders_bare_legacy/model.pth"),
		"real.pth":           golden(t, "loaders_safetensors/model.safetensors"),
		"net.param":          []byte(graph),
		"net.bin":            weights,
		"pytorch_model.bin":  golden(t, "loaders_bare_zip/model.pth"), // no .param beside
		"empty.pth":          nil,
		"text.pth":           []byte("hello, this is no weight file"),
		"lonely.param":       []byte(graph),
		"one.safetensors":    {'{'},
		"pickle.pkl":         []byte("\x80\x02}."),
		"headless.param.bin": []byte("PK\x03\x04"),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]Format{"zip.safetensors": PthZip, "legacy": PthLegacy, "real.pth": Safetensors,
		"net.param": NCNN, "net.bin": NCNN, "pytorch_model.bin": PthZip}
	for name := range files {
		path := filepath.Join(dir, name)
		f, err := Open(path)
		switch {
		case want[name] == "" && err == nil:
			t.Errorf("%s was read as %s", name, f.Format)
		case want[name] == "" && !strings.HasPrefix(err.Error(), "weightfile: open "):
			t.Errorf("%s: error %v does not say what failed", name, err)
		case want[name] != "" && err != nil:
			t.Error(err)
		case want[name] != "" && (f.Format != want[name] || f.Path != path || f.PostScale != 1 || len(f.Parts) == 0):
			t.Errorf("%s: %s, path %q, parts %q, post scale %v", name, f.Format, f.Path, f.Parts, f.PostScale)
		}
	}
	if _, err := Open(dir); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := Open(filepath.Join(dir, "absent")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("error %v for a missing file", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, isPath := err.(*os.PathError); isPath {
			return err
		}
		err = u.Unwrap()
	}
}

func TestSafetensorsHeaders(t *testing.T) {
	tests := []struct{ label, header, data, want string }{
		{"good", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "12", ""},
		{"in any order", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "12", ""},
		{"blanks behind", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   `, "12", ""},
		{"not an object", `[{}]`, "", "not a JSON object"},
		{"cut", `{"a":{"dtype":"U8"`, "", "EOF"},
		{"name twice", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12", "twice"},
		{"hole", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12", "hole"},
		{"overlap", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12", "overlap"},
		{"left over", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "12", "the file 2"},
		{"shape too small", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}}`, "12", "2 bytes for shape"},
		{"shape too large", `{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,2]}}`, "12", "needs more elements"},
		{"offsets backwards", `{"a":{"dtype":"U8","shape":[0],"data_offsets":[2,0]}}`, "12", "bytes 2 to 0"},
		{"offset negative", `{"a":{"dtype":"U8","shape":[3],"data_offsets":[-1,2]}}`, "12", "bytes -1 to 2"},
		{"no shape", `{"a":{"dtype":"U8","data_offsets":[0,2]}}`, "12", "no shape"},
		{"three offsets", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1,2]}}`, "12", "two data_offsets"},
		{"unknown field", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"x":1}}`, "12", "unknown field"},
		{"unknown type", `{"a":{"dtype":"Q8","shape":[2],"data_offsets":[0,2]}}`, "12", "Q8"},
		{"more behind", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}{}`, "12", "more after"},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			content := u64(len(tt.header)) + tt.header + tt.data
			_, err := readSafetensors(bytes.NewReader([]byte(content)), int64(len(content)))
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
