// Command pdd upscales images with super-resolution networks, and looks after the weights they need.
//
//	pdd weights get realesrgan-x4plus
//	pdd upscale photos --out large --weights realesrgan-x4plus
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a training that was told to stop and has saved. Errors are one line on
// standard error.
//
// Built without cgo it needs no libtorch and starts at once; it hands the commands that run networks over to a program
// beside it, pdd-native, which is the same built with cgo (make install makes both).
//
// A command is one file with a struct (flags as fields, Run(*env) error as its deed) and one line in [cli].
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli lists the commands in the order of the help screen.
type cli struct {
	Upscale   upscaleCmd   `cmd:"" help:"Upscale images, folders or globs."`
	Degrade   degradeCmd   `cmd:"" help:"Make an LR set from HR images."`
	Train     trainCmd     `cmd:"" help:"Train a network, or adapt one to the pictures of a camera or source."`
	Eval      evalCmd      `cmd:"" help:"Measure a folder of results against its ground truth."`
	Compare   compareCmd   `cmd:"" help:"Set systems side by side on the same pictures."`
	Data      dataCmd      `cmd:"" help:"Check and prepare training data."`
	Reproduce reproduceCmd `cmd:"" help:"Run the tables of the paper, ours beside the printed."`
	Inspect   inspectCmd   `cmd:"" help:"Tell what a weight file holds."`
	Weights   weightsCmd   `cmd:"" help:"List, fetch and convert weights."`
	Bench     benchCmd     `cmd:"" help:"Measure how fast networks run on this machine."`
	Doctor    doctorCmd    `cmd:"" help:"Tell what was found on this machine, what is missing, and the way out."`
	Version   versionCmd   `cmd:"" help:"Print the version."`

	ShowVersion kong.VersionFlag `name:"version" hidden:"" help:"As pdd version."`
}

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitStopped = 3
)

// errStopped is a training that was told to stop, has saved and has said so.
var errStopped = errors.New("stopped")

// env is what a command gets from outside. Tests replace its parts.
type env struct {
	ctx            context.Context // ends on ctrl-C
	args           []string        // of the command line
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool         // stderr is a terminal: show progress
	client         *http.Client // for downloads
	newEngine      func(engineConfig) (engine, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second ctrl-C kills
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the command line args and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, args: args, stdin: os.Stdin, stdout: stdout, stderr: stderr, terminal: isTerminal(stderr), newEngine: newEngine}
	return e.run(args)
}

func (e *env) run(args []string) int {
	code, helped := exitDone, false
	parser, err := kong.New(&cli{}, kong.Name("pdd"),
		kong.Description("Upscale images with super-resolution networks."),
		evalVars, kong.Vars{"version": versionLine()},
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(func(c int) { code, helped = c, true }), // after a help screen; parsing goes on
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}))
	if err != nil {
		return e.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return code
	case err != nil:
		return e.fail(usageError{fmt.Errorf("%w (see pdd --help)", err)})
	}
	if runsNetworks(command) {
		if err := handOver(); err != nil {
			return e.fail(err)
		}
	}
	if err := command.Run(e); err != nil {
		return e.fail(err)
	}
	return exitDone
}

// usageError marks an error as wrong usage.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// fail prints err on one line and returns its exit code.
func (e *env) fail(err error) int {
	if errors.Is(err, context.Canceled) && e.ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if errors.Is(err, errStopped) {
		return exitStopped
	}
	e.complain(err.Error())
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// complain prints one line on standard error.
func (e *env) complain(text string) {
	text = strings.Join(strings.Split(strings.TrimSpace(text), "\n  "), "\n") // an indented list
	text = strings.ReplaceAll(strings.ReplaceAll(text, ":\n", ": "), "\n", "; ")
	fmt.Fprintln(e.stderr, "pdd: "+strings.TrimPrefix(text, "pdd: "))
}
