// Package comm joins the processes of one training run, its ranks, into a group: libtorch's TCPStore, which rank 0
// serves, and the collective operations of Gloo, or NCCL between CUDA devices. What it adds is that an error says who is
// to blame.
//
// Each rank puts a sign of life into the store, with the place its work has come to, and looks there for a failure that
// another has reported. A collective operation that fails, because a connection broke or the time ran out, is therefore
// answered with the reason of the rank that failed first, or with the rank that is silent, or with the one that has not
// come as far as the others. The first report is everybody's.
//
// All ranks must call the collective methods in the same order. A [Group] is safe for use by several goroutines, as far
// as that order allows. Calls that move tensors compute on the calling OS thread; those that wait do not.
//
// Once a group has failed, its native half is left as it is: an operation may be under way in it.
package comm
