package weightfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// zipOf makes an archive of members with a compression method, in this order.
func zipOf(t testing.TB, method uint16, members ...[2]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m[0], Method: method})
		if err == nil {
			_, err = w.Write([]byte(m[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readZip(data []byte) (*File, error) { return readPthZip(bytes.NewReader(data), int64(len(data))) }

// pthMembers are the members of a file with one array of n elements, 0, 1, 2, ..
func pthMembers(t testing.TB, n int) [][2]string {
	a := mustArray(t, "w", n)
	return [][2]string{{"x/data.pkl", string(picklePth([]StateDict{{Arrays: []Array{a}}}))}, {"x/data/0", string(a.packed())}, {"x/version", "3\n"}}
}

func TestPthZipDeflated(t *testing.T) {
	f, err := readZip(zipOf(t, zip.Deflate, pthMembers(t, 1000)...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Dicts[0].Arrays[0].Float32s()
	if err != nil || len(got) != 1000 || got[999] != 999 {
		t.Errorf("got %d values, %v; want 0 to 999", len(got), err)
	}
}

func TestPthZipRefusals(t *testing.T) {
	good := pthMembers(t, 4)
	with := func(extra ...[2]string) []byte { return zipOf(t, zip.Store, append(slices.Clone(good), extra...)...) }
	corrupt := with()
	at := bytes.Index(corrupt, []byte(good[1][1])) + 5
	corrupt[at] ^= 1
	tests := []struct {
		label   string
		content []byte
		want    string
	}{
		{"a bit of a storage", corrupt, "checksum"},
		{"no data.pkl", zipOf(t, zip.Store, good[1:]...), "no data.pkl"},
		{"no storage", zipOf(t, zip.Store, good[0], good[2]), `no member "data/0"`},
		{"storage of another size", zipOf(t, zip.Store, good[0], [2]string{"x/data/0", "1234"}), "4 bytes for 4 elements"},
		{"member twice", with(good[1]), "twice"},
		{"member in no folder", with([2]string{"data.pkl", ""}), "no folder"},
		{"big-endian", with([2]string{"x/byteorder", "big"}), "byte order"},
		{"TorchScript", with([2]string{"x/constants.pkl", ""}), "TorchScript"},
		{"not a dictionary", zipOf(t, zip.Store, [2]string{"x/data.pkl", "\x80\x02]."}), "a list, not a dictionary"},
		{"no tensors", zipOf(t, zip.Store, [2]string{"x/data.pkl", "\x80\x02}X\x05\x00\x00\x00epochK\x05s."}), "no tensors: its keys are \"epoch\""},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			_, err := readZip(tt.content)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if tt.label == "TorchScript" && !errors.Is(err, ErrTorchScript) {
				t.Errorf("error %v is not ErrTorchScript", err)
			}
		})
	}
}

// TestLargeFilesStayBounded reads files of some MB whose indexes claim more than there is.
func TestLargeFilesStayBounded(t *testing.T) {
	const mb = 1 << 20
	many := make([][2]string, 0, 100_000) // a directory that is most of the file
	for i := range cap(many) {
		many = append(many, [2]string{fmt.Sprintf("x/%d", i), ""})
	}
	header := `{"w":{"dtype":"U8","shape":[` + strings.Repeat("1,", 2*mb) + `1],"data_offsets":[0,1]}}`
	tests := []struct {
		label string
		data  []byte
		read  func([]byte) (*File, error)
	}{
		{"deflate bomb", zipOf(t, zip.Deflate, [2]string{"x/data.pkl", "\x80\x02" + strings.Repeat("N", 40*mb) + "."}), readZip},
		{"deflated zeros as a storage", zipOf(t, zip.Deflate, zeros(t, 20*mb)...), readZip},
		{"zip of many members", zipOf(t, zip.Store, many...), readZip},
		{"long safetensors header", []byte(u64(len(header)) + header), func(b []byte) (*File, error) {
			return readSafetensors(bytes.NewReader(b), int64(len(b)))
		}},
		{"graph of empty lines", []byte("7767517" + strings.Repeat("\n", 8*mb)), func(b []byte) (*File, error) {
			return readNCNN(string(b[:mb/2]), b)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = tt.read(tt.data) })
			if err == nil {
				t.Error("was accepted")
			}
			if limit := int64(2*len(tt.data) + 4*mb); used > limit {
				t.Errorf("allocated %d bytes for a file of %d", used, len(tt.data))
			}
			t.Logf("file of %d bytes, %d allocated: %.120v", len(tt.data), used, err)
		})
	}
}

// zeros are the members of a file with one array of n bytes that are all 0.
func zeros(t testing.TB, n int) [][2]string {
	a, err := newArray("w", U8, []int{n}, make([]byte, n))
	if err != nil {
		t.Fatal(err)
	}
	return [][2]string{{"x/data.pkl", string(picklePth([]StateDict{{Arrays: []Array{a}}}))}, {"x/data/0", string(a.data)}}
}

func u64(n int) string {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	return string(b)
}

// Overlapping tensors could ask a loader for much more memory than the file has.
func TestOverlappingTensorsAreBounded(t *testing.T) {
	s := &storage{dtype: F32, count: 1 << 20, data: make([]byte, 4<<20)}
	d := newDict()
	for i := range 3 {
		d.set(fmt.Sprint(i), &torchTensor{storage: s, shape: []int{1 << 20}, strides: []int{1}})
	}
	if _, err := collectDicts(d, 4<<20); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("error %v for 12 MB of tensors in 4 MB, want one about overlap", err)
	}
}

func TestSharedStorage(t *testing.T) {
	f, err := Open("../../testdata/golden/loaders_shared_storage/model.pth")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Dicts) != 1 || f.Dicts[0].Key != "params_ema" || len(f.Dicts[0].Arrays) != 42 {
		t.Fatalf("entries %q", f.Keys())
	}
	for _, a := range f.Dicts[0].Arrays {
		values, err := a.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range values {
			sum += math.Abs(float64(v))
		}
		if sum == 0 || len(values) != a.Len() {
			t.Errorf("%s: %d values of absolute sum %v", a.Name, len(values), sum)
		}
	}
}
