package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// This file is a pickle machine that cannot do harm. It has the opcodes that torch.save writes (protocols 2 to 5),
// asks its caller about every global and every persistent id, and counts what its values cost in memory, so that
// the size of the pickle bounds time and memory alike. The library nlpodyssey/gopickle was tried for this: its hooks
// can enforce the allow-list, but it allocates whatever length an opcode claims (the 8 bytes of a cut BINUNICODE took
// 1 GiB, and a length of 2^62 panics), and its stack and memo have no bound.

// The values on the stack are nil, bool, int64, float64, string, []byte, bigInt, tuple, *list, *dict, and whatever
// the caller's hooks return.
type (
	bigInt string // an integer beyond int64: its little-endian two's complement
	tuple  []any
	list   struct{ items []any }
	dict   struct { // keeps the order; keys that are no strings are dropped, as no weight has such a name
		keys   []string
		values map[string]any
	}
)

// pickleHooks give meaning to what a pickle itself cannot say. An error ends the reading.
type pickleHooks struct {
	global     func(module, name string) (any, error) // the object of that name
	call       func(callee any, args tuple) (any, error)
	persistent func(id any) (any, error)
}

// machine reads one pickle after the other from data.
type machine struct {
	hooks  pickleHooks
	data   []byte
	pos    int
	budget int64 // bytes of memory that values may still take
	stack  []any
	marks  []int // lengths of the stack at the open MARKs
	memo   map[uint32]any
	done   bool
}

// Rough costs in bytes of memory, rounded up.
const (
	costSlot = 40  // one place on the stack, in the memo or in a list, with its interface value
	costItem = 128 // one entry of a dict
)

var errBudget = errors.New("pickle: its objects take more memory than the file warrants")

// load reads one pickle and returns its object.
func (m *machine) load() (any, error) {
	m.stack, m.marks, m.memo, m.done = nil, nil, map[uint32]any{}, false
	for !m.done {
		at := m.pos
		op, err := m.take(1)
		if err == nil {
			if f := pickleOps[op[0]]; f == nil {
				err = fmt.Errorf("opcode %#02x is not one that torch.save writes", op[0])
			} else {
				err = f(m)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("pickle: at byte %d: %w", at, err)
		}
	}
	return m.pop()
}

// take returns the next n bytes, not copied.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.pos) {
		return nil, io.ErrUnexpectedEOF
	}
	b := m.data[m.pos : m.pos+int(n)]
	m.pos += int(n)
	return b, nil
}

// uint reads a little-endian number of that many bytes.
func (m *machine) uint(bytes int) (uint64, error) {
	var wide [8]byte
	b, err := m.take(uint64(bytes))
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), err
}

// counted returns a run of bytes that its length stands in front of.
func (m *machine) counted(lengthBytes int) ([]byte, error) {
	n, err := m.uint(lengthBytes)
	if err != nil {
		return nil, err
	}
	b, err := m.take(n)
	if err != nil {
		return nil, err
	}
	return b, m.charge(len(b))
}

// line returns the bytes up to the next newline, without it.
func (m *machine) line() (string, error) {
	for i, c := range m.data[m.pos:] {
		if c == '\n' {
			s := string(m.data[m.pos : m.pos+i])
			m.pos += i + 1
			return s, m.charge(len(s))
		}
	}
	return "", io.ErrUnexpectedEOF
}

func (m *machine) charge(bytes int) error {
	m.budget -= int64(bytes)
	if m.budget < 0 {
		return errBudget
	}
	return nil
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return m.charge(costSlot)
}

// floor is the height of the stack below which an opcode may not reach.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) top() (any, error) {
	if len(m.stack) <= m.floor() {
		return nil, errors.New("stack underflow")
	}
	return m.stack[len(m.stack)-1], nil
}

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// popN removes the n topmost values and returns them as a copy, the lowest first.
func (m *machine) popN(n int) ([]any, error) {
	from := len(m.stack) - n
	if from < m.floor() {
		return nil, errors.New("stack underflow")
	}
	values := append([]any(nil), m.stack[from:]...)
	m.stack = m.stack[:from]
	return values, m.charge(n * costSlot)
}

// popMark removes the values above the innermost MARK, and the mark, and returns them as a copy.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, errors.New("no mark on the stack")
	}
	count := len(m.stack) - m.marks[n-1]
	values, err := m.popN(count)
	m.marks = m.marks[:n-1]
	return values, err
}

func (m *machine) getMemo(i uint64, err error) error {
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(i)]
	if !ok {
		return fmt.Errorf("nothing is stored under memo %d", i)
	}
	return m.push(v)
}

func (m *machine) putMemo(i uint64, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[uint32(i)] = v
	return m.charge(2 * costSlot)
}

// setItems stores alternating keys and values in the dict on top of the stack.
func (m *machine) setItems(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*dict)
	if !ok || len(items)%2 != 0 {
		return fmt.Errorf("%d items for a %T", len(items), v)
	}
	for i := 0; i < len(items); i += 2 {
		d.set(items[i], items[i+1])
	}
	return m.charge(len(items) / 2 * costItem)
}

func (d *dict) set(key, value any) {
	name, ok := key.(string)
	if !ok {
		return
	}
	if _, ok := d.values[name]; !ok {
		d.keys = append(d.keys, name)
	}
	d.values[name] = value
}

// extend appends items to the list on top of the stack.
func (m *machine) extend(items []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*list)
	if !ok {
		return fmt.Errorf("append to a %T", v)
	}
	l.items = append(l.items, items...)
	return m.charge(len(items) * costSlot)
}

// pushTuple makes a tuple of values.
func (m *machine) pushTuple(values []any, err error) error {
	if err != nil {
		return err
	}
	return m.push(tuple(values))
}

// reduce calls the hook with the callee and the arguments on top of the stack.
func (m *machine) reduce() error {
	v, err := m.popN(2)
	if err != nil {
		return err
	}
	args, ok := v[1].(tuple)
	if !ok {
		return fmt.Errorf("a call with %T in place of arguments", v[1])
	}
	result, err := m.hooks.call(v[0], args)
	if err != nil {
		return err
	}
	if err := m.charge(costItem); err != nil {
		return err
	}
	return m.push(result)
}

// build drops the state on top of the stack: a state dict's is its _metadata, which no weight depends on. Only a
// dict may have one; everything else that torch.save writes for weights comes without.
func (m *machine) build() error {
	if _, err := m.pop(); err != nil {
		return err
	}
	v, err := m.top()
	if _, ok := v.(*dict); err == nil && !ok {
		err = fmt.Errorf("a state for a %T", v)
	}
	return err
}

func (m *machine) pushGlobal(module, name any) error {
	mod, ok1 := module.(string)
	nam, ok2 := name.(string)
	if !ok1 || !ok2 {
		return fmt.Errorf("a global named by %T and %T", module, name)
	}
	v, err := m.hooks.global(mod, nam)
	if err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) pushPersistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.hooks.persistent(id)
	if err != nil {
		return err
	}
	return m.push(v)
}

// longInt makes a value of an integer's little-endian two's complement.
func longInt(b []byte) any {
	if len(b) > 8 {
		return bigInt(b)
	}
	var wide [8]byte
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		wide = [8]byte{255, 255, 255, 255, 255, 255, 255, 255}
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:]))
}

func bigEndianFloat(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }
