//go:build cgo

package main

import "syscall"

// childAttributes keep ctrl-C of the terminal from children, which are told by their parent, and end them with it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
