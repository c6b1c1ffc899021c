package weightfile

import (
	"fmt"
	"strings"
)

// The objects that a pickle of weights is made of, besides pickle's own values.
type (
	torchFunc string // an allowed global that may be called, by its full name
	opaque    string // an allowed global or object whose value no weight depends on
	storage   struct {
		dtype DType
		count int // elements
		data  []byte
	}
	// torchTensor is a tensor whose storage may still lack its data: legacy files have them after the pickle.
	torchTensor struct {
		storage        *storage
		offset         int
		shape, strides []int
	}
)

// storageTypes are the globals that name a storage's element type.
var storageTypes = map[string]DType{
	"torch.HalfStorage": F16, "torch.BFloat16Storage": BF16, "torch.FloatStorage": F32, "torch.DoubleStorage": F64,
	"torch.CharStorage": I8, "torch.ShortStorage": I16, "torch.IntStorage": I32, "torch.LongStorage": I64,
	"torch.ByteStorage": U8, "torch.BoolStorage": Bool,
}

// torchFuncs are the globals that may be called. Their meaning is in callTorch; none of them runs foreign code.
var torchFuncs = map[string]bool{
	"collections.OrderedDict":                    true,
	"torch.Size":                                 true,
	"torch.device":                               true,
	"torch._utils._rebuild_tensor":               true,
	"torch._utils._rebuild_tensor_v2":            true,
	"torch._utils._rebuild_parameter":            true,
	"torch._utils._rebuild_parameter_with_state": true,
}

// torchDTypes are globals that stand as plain values in some checkpoints.
var torchDTypes = map[string]bool{
	"torch.float16": true, "torch.bfloat16": true, "torch.float32": true, "torch.float64": true, "torch.int64": true,
	"torch.int32": true, "torch.uint8": true, "torch.bool": true,
}

// torchGlobal is the allow-list: what weights need, and nothing that could do more.
func torchGlobal(module, name string) (any, error) {
	full := module + "." + name
	if d, ok := storageTypes[full]; ok {
		return d, nil
	}
	if torchFuncs[full] {
		return torchFunc(full), nil
	}
	if torchDTypes[full] {
		return opaque(full), nil
	}
	return nil, fmt.Errorf("the pickle names %.100q, which weights do not need: nothing was run. "+
		"If you trust the file, save its state_dict alone with PyTorch", full)
}

// callTorch computes the result of calling an allowed global.
func callTorch(callee any, args tuple) (any, error) {
	f, ok := callee.(torchFunc)
	if !ok {
		return nil, fmt.Errorf("a call of a %T", callee)
	}
	switch f {
	case "collections.OrderedDict":
		return orderedDict(args)
	case "torch.Size":
		if len(args) == 1 {
			return args[0], nil
		}
	case "torch.device":
		return opaque(f), nil
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2":
		return rebuildTensor(args)
	default: // parameters are a tensor and what training needs beside it
		if len(args) >= 1 {
			if t, ok := args[0].(*torchTensor); ok {
				return t, nil
			}
		}
	}
	return nil, fmt.Errorf("%s with %d arguments of unexpected types", f, len(args))
}

// orderedDict makes the dict of OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
func orderedDict(args tuple) (any, error) {
	d := newDict()
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) != 1 {
		return nil, fmt.Errorf("OrderedDict of a %T", args[0])
	}
	for _, p := range pairs.items {
		pair, ok := p.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, fmt.Errorf("OrderedDict with a %T in place of a pair", p)
		}
		d.set(pair.items[0], pair.items[1])
	}
	pairs.items = nil // it is this call's alone; a second call with it must not cost its length again
	return d, nil
}

// rebuildTensor reads (storage, offset, size, strides, ...); the rest is autograd's.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor with %d arguments", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := dimensions(args[2])
	strides, ok4 := dimensions(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("a tensor of (%T, %T, %T, %T)", args[0], args[1], args[2], args[3])
	}
	return &torchTensor{storage: s, offset: int(offset), shape: shape, strides: strides}, nil
}

// dimensions reads a tuple of few integers.
func dimensions(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > maxRank {
		return nil, false
	}
	dims := make([]int, len(t))
	for i, e := range t {
		n, ok := e.(int64)
		if !ok {
			return nil, false
		}
		dims[i] = int(n)
	}
	return dims, true
}

// storageID is the persistent id of a storage: ("storage", type, key, device, elements[, view]).
type storageID struct {
	dtype DType
	key   string
	count int
	view  any // legacy only
}

func parseStorageID(id any) (storageID, error) {
	t, _ := id.(tuple)
	if len(t) < 5 || t[0] != any("storage") {
		return storageID{}, fmt.Errorf("a persistent id that is no storage (%d fields)", len(t))
	}
	dtype, ok1 := t[1].(DType)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	if !ok1 || !ok2 || !ok3 || count < 0 {
		return storageID{}, fmt.Errorf("a storage of type %T, key %T and %v elements", t[1], t[2], t[4])
	}
	out := storageID{dtype: dtype, key: key, count: int(count)}
	if len(t) > 5 {
		out.view = t[5]
	}
	return out, nil
}

// collectDicts finds the state dicts of a pickle's object: its own tensors, and its entries that have tensors.
func collectDicts(root any, size int64) ([]StateDict, error) {
	outer, ok := root.(*dict)
	if !ok {
		return nil, fmt.Errorf("the file holds a %s, not a dictionary of tensors", kindName(root))
	}
	bare, err := collectArrays("", outer, size)
	if err != nil {
		return nil, err
	}
	var dicts []StateDict
	if len(bare.Arrays) > 0 {
		dicts = append(dicts, bare)
	}
	for _, key := range outer.keys {
		inner, ok := outer.values[key].(*dict)
		if !ok || key == "" {
			continue
		}
		entry, err := collectArrays(key, inner, size)
		if err != nil {
			return nil, err
		}
		if len(entry.Arrays) > 0 {
			dicts = append(dicts, entry)
		}
	}
	if len(dicts) == 0 {
		return nil, fmt.Errorf("the file holds no tensors: its keys are %.200q", strings.Join(outer.keys, ", "))
	}
	return dicts, nil
}

// collectArrays makes arrays of the tensors among a dict's values. Tensors may share storages, but all together must
// not be more than twice the file, or copying them out would take memory that the file does not warrant.
func collectArrays(key string, d *dict, size int64) (StateDict, error) {
	out := StateDict{Key: key}
	total := int64(0)
	for _, name := range d.keys {
		t, ok := d.values[name].(*torchTensor)
		if !ok {
			continue
		}
		a, err := newView(name, t.storage.dtype, t.storage.data, t.offset, t.shape, t.strides)
		if err != nil {
			return StateDict{}, err
		}
		if total += int64(a.Bytes()); total > max(2*size, 1<<20) {
			return StateDict{}, fmt.Errorf("entry %q: its tensors overlap and have more than twice the file's bytes together", key)
		}
		out.Arrays = append(out.Arrays, a)
	}
	return out, nil
}

func kindName(v any) string {
	switch v.(type) {
	case *torchTensor:
		return "single tensor"
	case *list, tuple:
		return "list"
	}
	return fmt.Sprintf("%T", v)
}
