// Package tensortest helps tests that use package tensor: it notices leaks by itself. Product code does not import it.
//
//	func TestForward(t *testing.T) {
//		tensortest.Do(t, func(s *tensor.Scope) { ... })
//	}
package tensortest

import (
	"runtime"
	"testing"
	"time"

	"github.com/gopdd/gopdd/tensor"
)

// Check fails t if more tensors are alive when it ends than are now. Tests that call it do not run in parallel with
// others that make tensors, since the count is the process's.
func Check(t testing.TB) {
	t.Helper()
	before := tensor.MemoryStats(tensor.CPU).LiveTensors
	t.Cleanup(func() {
		if live := settled(before); live > before {
			t.Errorf("%d tensors leaked: %d alive before the test, %d after", live-before, before, live)
		}
	})
}

// Do runs fn in a scope of the default worker and fails t if fn does; it checks for leaks like [Check].
func Do(t testing.TB, fn func(s *tensor.Scope)) {
	t.Helper()
	Check(t)
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		fn(s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settled waits for finalizers, which free what was made in a nil scope. What a scope owns has none, so a scope that
// nobody ends still shows.
func settled(want int64) int64 {
	for range 100 {
		if tensor.MemoryStats(tensor.CPU).LiveTensors <= want {
			break
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return tensor.MemoryStats(tensor.CPU).LiveTensors
}
