package weightfile

import "fmt"

// pickleOps maps opcodes to what they do; nil marks one that torch.save does not write. The names are those of
// Python's pickletools, which documents each.
var pickleOps = [256]func(*machine) error{
	0x80: func(m *machine) error { // PROTO
		v, err := m.uint(1)
		if err == nil && (v < 2 || v > 5) {
			err = fmt.Errorf("pickle protocol %d, known are 2 to 5", v)
		}
		return err
	},
	0x95: func(m *machine) error { _, err := m.take(8); return err }, // FRAME: a hint for buffering
	'.':  func(m *machine) error { m.done = true; return nil },       // STOP

	// Constants and numbers.
	'N':  func(m *machine) error { return m.push(nil) },   // NONE
	0x88: func(m *machine) error { return m.push(true) },  // NEWTRUE
	0x89: func(m *machine) error { return m.push(false) }, // NEWFALSE
	'J': func(m *machine) error { // BININT
		v, err := m.uint(4)
		return first(err, func() error { return m.push(int64(int32(v))) })
	},
	'K': func(m *machine) error { // BININT1
		v, err := m.uint(1)
		return first(err, func() error { return m.push(int64(v)) })
	},
	'M': func(m *machine) error { // BININT2
		v, err := m.uint(2)
		return first(err, func() error { return m.push(int64(v)) })
	},
	0x8a: func(m *machine) error { return m.pushLong(m.counted(1)) }, // LONG1
	0x8b: func(m *machine) error { return m.pushLong(m.counted(4)) }, // LONG4
	'G': func(m *machine) error { // BINFLOAT
		b, err := m.take(8)
		return first(err, func() error { return m.push(bigEndianFloat(b)) })
	},

	// Strings and bytes.
	'X':  func(m *machine) error { return m.pushString(m.counted(4)) }, // BINUNICODE
	0x8c: func(m *machine) error { return m.pushString(m.counted(1)) }, // SHORT_BINUNICODE
	0x8d: func(m *machine) error { return m.pushString(m.counted(8)) }, // BINUNICODE8
	'U':  func(m *machine) error { return m.pushString(m.counted(1)) }, // SHORT_BINSTRING (Python 2)
	'T':  func(m *machine) error { return m.pushString(m.counted(4)) }, // BINSTRING (Python 2)
	'B':  func(m *machine) error { return m.pushBytes(m.counted(4)) },  // BINBYTES
	'C':  func(m *machine) error { return m.pushBytes(m.counted(1)) },  // SHORT_BINBYTES

	// Containers.
	'(':  func(m *machine) error { m.marks = append(m.marks, len(m.stack)); return m.charge(costSlot) }, // MARK
	'0':  func(m *machine) error { _, err := m.pop(); return err },                                      // POP
	'1':  func(m *machine) error { _, err := m.popMark(); return err },                                  // POP_MARK
	')':  func(m *machine) error { return m.push(tuple(nil)) },                                          // EMPTY_TUPLE
	0x85: func(m *machine) error { return m.pushTuple(m.popN(1)) },                                      // TUPLE1
	0x86: func(m *machine) error { return m.pushTuple(m.popN(2)) },                                      // TUPLE2
	0x87: func(m *machine) error { return m.pushTuple(m.popN(3)) },                                      // TUPLE3
	't':  func(m *machine) error { return m.pushTuple(m.popMark()) },                                    // TUPLE
	']':  func(m *machine) error { return m.pushContainer(&list{}) },                                    // EMPTY_LIST
	0x8f: func(m *machine) error { return m.pushContainer(&list{}) },                                    // EMPTY_SET
	'a':  func(m *machine) error { return m.extend(m.popN(1)) },                                         // APPEND
	'e':  func(m *machine) error { return m.extend(m.popMark()) },                                       // APPENDS
	0x90: func(m *machine) error { return m.extend(m.popMark()) },                                       // ADDITEMS
	'}':  func(m *machine) error { return m.pushContainer(newDict()) },                                  // EMPTY_DICT
	's':  func(m *machine) error { return m.setItems(m.popN(2)) },                                       // SETITEM
	'u':  func(m *machine) error { return m.setItems(m.popMark()) },                                     // SETITEMS

	// The memo.
	'h':  func(m *machine) error { return m.getMemo(m.uint(1)) },                // BINGET
	'j':  func(m *machine) error { return m.getMemo(m.uint(4)) },                // LONG_BINGET
	'q':  func(m *machine) error { return m.putMemo(m.uint(1)) },                // BINPUT
	'r':  func(m *machine) error { return m.putMemo(m.uint(4)) },                // LONG_BINPUT
	0x94: func(m *machine) error { return m.putMemo(uint64(len(m.memo)), nil) }, // MEMOIZE

	// Objects.
	'c': func(m *machine) error { // GLOBAL
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		return first(err, func() error { return m.pushGlobal(module, name) })
	},
	0x93: func(m *machine) error { // STACK_GLOBAL
		v, err := m.popN(2)
		return first(err, func() error { return m.pushGlobal(v[0], v[1]) })
	},
	'R':  (*machine).reduce,         // REDUCE
	0x81: (*machine).reduce,         // NEWOBJ: a class is called with arguments too
	'b':  (*machine).build,          // BUILD
	'Q':  (*machine).pushPersistent, // BINPERSID
}

// first returns err, or without one what next returns.
func first(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func (m *machine) pushLong(b []byte, err error) error {
	return first(err, func() error { return m.push(longInt(b)) })
}

func (m *machine) pushString(b []byte, err error) error {
	return first(err, func() error { return m.push(string(b)) })
}

func (m *machine) pushBytes(b []byte, err error) error {
	return first(err, func() error { return m.push(b) })
}

// pushContainer pushes a new list or dict, which takes more than its place on the stack.
func (m *machine) pushContainer(v any) error {
	return first(m.charge(costItem), func() error { return m.push(v) })
}

func newDict() *dict { return &dict{values: map[string]any{}} }
