//go:build cgo && !linux

package main

import "syscall"

// childAttributes keep ctrl-C of the terminal from children, which are told by their parent.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
