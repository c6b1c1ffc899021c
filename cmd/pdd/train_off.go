//go:build !cgo

package main

func train(*env, *trainCmd) error { return errNoCgo }
