package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// networked is a command that may run a network, and so needs libtorch.
type networked interface{ runsNetworks() bool }

func (*upscaleCmd) runsNetworks() bool    { return true }
func (*trainCmd) runsNetworks() bool      { return true }
func (*compareRunCmd) runsNetworks() bool { return true }
func (*reproduceCmd) runsNetworks() bool  { return true }
func (*benchCmd) runsNetworks() bool      { return true }
func (*doctorCmd) runsNetworks() bool     { return true }

func (c *evalCmd) runsNetworks() bool { return c.Model != "" || strings.Contains(c.Metrics, "lpips") }

func runsNetworks(command *kong.Context) bool {
	n, ok := command.Selected().Target.Addr().Interface().(networked)
	return ok && n.runsNetworks()
}
