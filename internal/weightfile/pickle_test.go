package weightfile

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func loadPickle(data string, budget int64) (any, error) {
	m := machine{data: []byte(data), budget: budget, hooks: pickleHooks{
		global: torchGlobal, call: callTorch,
		persistent: func(any) (any, error) { return &storage{dtype: F32}, nil },
	}}
	return m.load()
}

// The pickles are written by hand; pickletools.dis of Python shows what they mean.
func TestPickleValues(t *testing.T) {
	tests := []struct {
		label, pickle string
		want          any
	}{
		{"BININT", "J\xfe\xff\xff\xff.", int64(-2)},
		{"BININT1", "K\xff.", int64(255)},
		{"BININT2", "M\x00\x01.", int64(256)},
		{"LONG1 negative", "\x8a\x01\xff.", int64(-1)},
		{"LONG1 empty", "\x8a\x00.", int64(0)},
		{"LONG1 of ten bytes", "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", legacyMagic},
		{"BINFLOAT", "G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"BINUNICODE", "X\x02\x00\x00\x00ab.", "ab"},
		{"SHORT_BINUNICODE in a FRAME", "\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02ab\x94.", "ab"},
		{"NEWTRUE", "\x88.", true},
		{"NONE", "N.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			got, err := loadPickle(tt.pickle, 1<<20)
			if err != nil || got != tt.want {
				t.Errorf("got %#v, %v; want %#v", got, err, tt.want)
			}
		})
	}
}

func TestPickleDictKeepsOrderAndLastValue(t *testing.T) {
	got, err := loadPickle("}(X\x01\x00\x00\x00bK\x01X\x01\x00\x00\x00aK\x02X\x01\x00\x00\x00bK\x03u.", 1<<20)
	d, ok := got.(*dict)
	if err != nil || !ok || strings.Join(d.keys, "") != "ba" || d.values["b"] != any(int64(3)) {
		t.Errorf("got %+v, %v; want the keys b, a with b = 3, as Python's dict", got, err)
	}
}

func TestPickleRefusals(t *testing.T) {
	tests := []struct{ label, pickle, want, reason string }{
		{"os.system", "cos\nsystem\n(X\x02\x00\x00\x00lstR.", `"os.system"`, "the classical attack"},
		{"STACK_GLOBAL", "\x8c\x05posix\x8c\x06system\x93.", `"posix.system"`, "the same with protocol 4's opcode"},
		{"getattr", "c__builtin__\ngetattr\n.", "getattr", "a way to reach everything from allowed things"},
		{"nested pickle", "ctorch.storage\n_load_from_bytes\n.", "_load_from_bytes", "it calls torch.load without an allow-list"},
		{"call of a string", "X\x01\x00\x00\x00a)R.", "call of a string", "only allowed globals are callable"},
		{"call of a type", "ctorch\nFloatStorage\n)R.", "call of a", "a storage type is named, not called"},
		{"INST", "(ios\nsystem\n.", "opcode 0x69", "imports and calls in one opcode"},
		{"OBJ", "(cos\nsystem\no.", "os.system", "the global is refused before OBJ is seen"},
		{"EXT1", "\x82\x01.", "opcode 0x82", "the extension registry is code"},
		{"BUILD of a tensor", "NN)b.", "state for a", "a state is code in disguise (__setstate__)"},
		{"huge BINUNICODE", "X\xff\xff\xff\xffabc", "unexpected EOF", "4 GiB must not be allocated to find out"},
		{"huge BINUNICODE8", "\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "unexpected EOF", "a length beyond int64"},
		{"huge LONG4", "\x8b\xff\xff\xff\xffabc", "unexpected EOF", "a length that is negative as int32"},
		{"huge FRAME is a hint", "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN", "unexpected EOF", "frames allocate nothing"},
		{"no STOP", "NNN", "unexpected EOF", "cut off"},
		{"STOP on an empty stack", ".", "underflow", "nothing to return"},
		{"TUPLE3 of two", "NN\x87.", "underflow", "must not read below the stack"},
		{"POP below a mark", "N(0.", "underflow", "the mark is a floor"},
		{"TUPLE without mark", "Nt.", "no mark", "popMark needs one"},
		{"BINGET of nothing", "h\x07.", "memo 7", "Python raises here too"},
		{"SETITEMS on a list", "](X\x01\x00\x00\x00aK\x01u.", "items for a", "a list has no keys"},
		{"odd SETITEMS", "}(X\x01\x00\x00\x00au.", "1 items", "a key without value"},
		{"APPEND to None", "NNa.", "append to a", "None has no end"},
		{"tensor of nothing", "ctorch._utils\n_rebuild_tensor_v2\n)R.", "0 arguments", "arguments are checked"},
		{"tensor of rank 9", "ctorch._utils\n_rebuild_tensor_v2\n(NQK\x00(" + strings.Repeat("K\x01", 9) + "t)tR.", "a tensor of", "rank is bounded"},
		{"protocol 9", "\x80\x09N.", "protocol 9", "an unknown future"},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			got, err := loadPickle(tt.pickle, 1<<20)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, error %v; want an error with %q: %s", got, err, tt.want, tt.reason)
			}
		})
	}
}

// Bombs are small pickles that would make much of themselves; the budget must stop them.
func TestPickleBombs(t *testing.T) {
	const size = 1 << 20
	tests := []struct{ label, pickle string }{
		{"many dicts", strings.Repeat("}", size)},
		{"many marks", strings.Repeat("(", size)},
		{"many memo entries", "N" + strings.Repeat("\x94", size)},
		{"deep nesting", strings.Repeat("]", size/2) + strings.Repeat("a", size/2)},
		{"tuples of tuples", ")" + strings.Repeat("q\x00h\x00\x86", size/5)},
		{"one key again and again", "}" + strings.Repeat("X\x01\x00\x00\x00aNs", size/9)},
		{"a shared list of pairs", "](" + strings.Repeat("](NNe", 1000) + "e\x85q\x00" + strings.Repeat("ccollections\nOrderedDict\nh\x00R", 20000)},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			const budget = 4 << 20
			var err error
			used := allocated(func() { _, err = loadPickle(tt.pickle, budget) })
			if err == nil {
				t.Error("was read to the end")
			}
			if used > 2*budget {
				t.Errorf("allocated %d bytes with a budget of %d", used, budget)
			}
		})
	}
	if _, err := loadPickle(strings.Repeat("}", size), 4<<20); !errors.Is(err, errBudget) {
		t.Errorf("error %v, want the one of the budget", err)
	}
}

func FuzzPickle(f *testing.F) {
	f.Add(picklePth([]StateDict{{Key: "params_ema", Arrays: []Array{mustArray(f, "a", 2, 3)}}}))
	f.Add([]byte("\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02ab\x94."))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = loadPickle(string(data), 1<<20)
	})
}

// Python 2 wrote OrderedDicts with their pairs as arguments.
func TestOrderedDictOfPairs(t *testing.T) {
	got, err := loadPickle("ccollections\nOrderedDict\n]](U\x01aK\x01ea\x85R.", 1<<20)
	d, ok := got.(*dict)
	if err != nil || !ok || d.values["a"] != any(int64(1)) {
		t.Errorf("got %+v, %v; want {a: 1}", got, err)
	}
}

func TestNoPanicOnEveryOpcodeAlone(t *testing.T) {
	for op := range 256 {
		for _, tail := range []string{"", ".", "\x00", strings.Repeat("\x00", 16), strings.Repeat("\xff", 16)} {
			for _, head := range []string{"", "N", "(", "NNN(", ")", "}", "]"} {
				_, _ = loadPickle(head+string([]byte{byte(op)})+tail, 1<<16)
			}
		}
	}
}

// A tensor's storage must be what the persistent id says.
func TestStorageIDs(t *testing.T) {
	id := func(parts ...any) any { return tuple(parts) }
	for _, bad := range []any{
		nil, "storage", id(), id("module", F32, "0", "cpu", int64(1)), id("storage", "F32", "0", "cpu", int64(1)),
		id("storage", F32, int64(0), "cpu", int64(1)), id("storage", F32, "0", "cpu", int64(-1)), id("storage", F32, "0", "cpu", nil),
	} {
		if got, err := parseStorageID(bad); err == nil {
			t.Errorf("%v was taken for storage %+v", bad, got)
		}
	}
	l := legacy{storages: map[string]*storage{}}
	if _, err := l.persistent(id("storage", F32, "0", "cpu", int64(4))); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []any{
		id("storage", F16, "0", "cpu", int64(4)),                                      // another type
		id("storage", F32, "0", "cpu", int64(5)),                                      // another size
		id("storage", F32, "0", "cpu", int64(4), id("v", int64(3), int64(2))),         // a view beyond the end
		id("storage", F32, "0", "cpu", int64(4), id("v", int64(-1), int64(2))),        // before the start
		id("storage", F32, "0", "cpu", int64(4), id("v", int64(1)<<62, int64(1)<<62)), // overflowing
	} {
		if _, err := l.persistent(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	part, err := l.persistent(id("storage", F32, "0", "cpu", int64(4), id("v", int64(1), int64(2))))
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("\x04\x00\x00\x00\x00\x00\x00\x00AAAABBBBCCCCDDDD")
	if err := l.fill(&list{items: []any{"0"}}, data); err != nil {
		t.Fatal(err)
	}
	if got := part.(*storage).data; !bytes.Equal(got, []byte("BBBBCCCC")) {
		t.Errorf("the view of 2 elements from 1 is %q, want BBBBCCCC", got)
	}
}
