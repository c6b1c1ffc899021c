// Package tensor gives github.com/wangkuiyi/gotorch's Tensor lifetimes that do not depend on the garbage collector,
// and the operations that networks and losses need. It is not a general tensor library: what the package lacks,
// gotorch's own methods can do on the same values.
//
// Work happens inside a [Scope]:
//
//	err := tensor.Do(ctx, func(s *tensor.Scope) error {
//		x := s.FromFloat32s(pixels, 1, 3, h, w)
//		y := net.Forward(s.NoGrad(), x)
//		s.ReadFloat32s(y, out)
//		return nil
//	}) // everything made above is freed here, also after an error or a panic
//
// # Lifetimes
//
// The contract of a scope, each sentence of which is tested:
//
//   - A tensor made by a method of a Scope belongs to that scope and is freed when the scope ends.
//   - [Do] opens a scope and ends it when the function returns, fails or panics.
//   - [NewScope] returns a held scope: its holder ends it with [Scope.Close], which may be called twice.
//   - [Scope.Local] runs a function in an inner scope; the tensor it returns moves to the outer one.
//   - [Scope.Move] hands tensors to another scope. A tensor has one owner: moving what the scope does not own is an error.
//   - [Scope.NoGrad] and [Scope.Autocast] return the same scope with another mode; they own nothing of their own.
//   - A nil *Scope is legal: the garbage collector frees the results, as gotorch does with its own.
//   - Freeing a tensor that autograd still needs is fine: autograd holds its own reference.
//   - After its end a tensor's cell is nil and our operations say so; gotorch's own methods on it are undefined.
//   - Tensors made by gotorch may be used anywhere here; they are borrowed, never owned.
//
// # Errors
//
// Tensor mathematics (methods of Scope, Forward methods of networks, losses) panics with an [*Error] that names the
// operation and the shapes. [Do] turns exactly that type into an error; any other panic passes through to its caller
// as a [*PanicError].
// Every other function returns errors. errors.Is(err, [ErrOutOfMemory]) tells exhausted memory.
//
// # Threads
//
// libtorch's thread count, gradient mode and caches belong to OS threads, while goroutines move between them. So [Do]
// runs its function on a [Worker]: one pinned OS thread, whose operations use a set number of cores. A Scope is used
// by one goroutine at a time; a Worker by any number, in turn. Do inside Do of the same worker returns an error.
package tensor
