package tensor

import (
	"errors"
	"fmt"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// ErrOutOfMemory is in the chain of errors that come from exhausted memory, of the machine, of the device, or of the
// limit set with [LimitMemory]. Smaller work may succeed.
var ErrOutOfMemory = errors.New("out of memory")

// Error is the one type tensor mathematics panics with.
type Error struct {
	Op     string    // the operation, e.g. "conv2d"
	Shapes [][]int64 // of its tensors; nil for one that was freed or is absent
	Cause  error     // what libtorch said, or what is wrong with the arguments
}

// mostShapes is how many shapes an error's text tells.
const mostShapes = 12

// Error says operation, shapes and cause in one line.
func (e *Error) Error() string {
	shapes := make([]string, min(len(e.Shapes), mostShapes))
	for i := range shapes {
		if shapes[i] = "none"; e.Shapes[i] != nil {
			shapes[i] = strings.ReplaceAll(fmt.Sprint(e.Shapes[i]), " ", "×")
		}
	}
	if more := len(e.Shapes) - len(shapes); more > 0 {
		shapes = append(shapes, fmt.Sprintf("%d more", more))
	}
	cause := strings.Join(strings.Fields(e.Cause.Error()), " ")
	if len(shapes) == 0 {
		return fmt.Sprintf("tensor: %s: %s", e.Op, cause)
	}
	return fmt.Sprintf("tensor: %s of %s: %s", e.Op, strings.Join(shapes, ", "), cause)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports exhausted memory as ErrOutOfMemory.
func (e *Error) Is(target error) bool {
	var native *libtorch.Error
	return target == ErrOutOfMemory && errors.As(e.Cause, &native) && native.NoMemory
}

var errFreed = errors.New("a tensor is nil or was freed: the scope that owned it has ended")

// fail panics with an Error about the given tensors.
func fail(op string, cause error, ts ...torch.Tensor) {
	e := &Error{Op: op, Cause: cause}
	for _, t := range ts {
		var shape []int64
		if h := handle(t); h != nil {
			if info, err := libtorch.Inspect(h); err == nil {
				shape = info.Shape
			}
		}
		e.Shapes = append(e.Shapes, shape)
	}
	panic(e)
}

// Failf panics with an *Error of operation op, as networks and losses written outside this package do for arguments
// that libtorch would not refuse by itself.
func Failf(op, format string, args ...any) { panic(&Error{Op: op, Cause: fmt.Errorf(format, args...)}) }

// Catch runs fn and returns the *Error it panics with, for callers that do tensor mathematics outside [Do].
func Catch(fn func()) (err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *Error:
			err = e
		default:
			panic(e)
		}
	}()
	fn()
	return nil
}
