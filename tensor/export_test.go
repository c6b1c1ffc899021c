package tensor

// Compatible is what a process is checked with before its first worker.
var Compatible = compatible
