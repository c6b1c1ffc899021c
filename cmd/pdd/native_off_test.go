//go:build !cgo

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Beside a program with -native behind its name, commands that run networks become that program; the others do not.
func TestHandOver(t *testing.T) {
	pdd := filepath.Join(t.TempDir(), "pdd")
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pdd, self, 0o777); err != nil {
		t.Fatal(err)
	}
	workFolder(t)
	outcome := func(args string) (int, string) {
		cmd := exec.Command(pdd)
		cmd.Env = append(os.Environ(), "PDD_TEST_ARGS="+args)
		out, _ := cmd.CombinedOutput()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	if code, out := outcome("upscale one.png --out o"); code != exitFailed || !strings.Contains(out, "built without cgo") {
		t.Errorf("alone: code %d, %q", code, out)
	}
	script := "#!/bin/sh\necho \"native: $*\"\nexit 7\n"
	if err := os.WriteFile(pdd+"-native", []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	for args, native := range map[string]bool{
		"upscale one.png --out o": true, "train --preset ema": true, "compare --system bicubic --out o": true, "bench": true,
		"doctor --json": true, "reproduce --datasets d --weights w --out o": true, "eval --model default --lr photos": true,
		"eval --pred photos --gt photos --metrics psnr_rgb,lpips_alex": true,
		"version": false, "upscale --help": false, "upscale one.png": false, "eval --pred photos --gt photos": false,
		"degrade photos --out o": false, "data check photos": false, "inspect default": false, "weights list": false,
		"compare votes missing.csv": false,
	} {
		code, out := outcome(args)
		if handed := code == 7 && out == "native: "+args+"\n"; handed != native {
			t.Errorf("pdd %s: code %d, %q; want it handed over: %t", args, code, out, native)
		}
	}
	if err := os.WriteFile(pdd+"-native", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(pdd+"-native", 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out := outcome("upscale one.png --out o"); code != exitFailed || !strings.Contains(out, "pdd-native: permission denied") {
		t.Errorf("not executable: code %d, %q", code, out)
	}
}
