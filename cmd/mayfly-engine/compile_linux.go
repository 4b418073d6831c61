package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/runtime/weave"
	"github.com/mayfly-run/mayfly/wasihttp"
)

// compileTimeout is the default of -timeout. The largest components take a tenth of that.
const compileTimeout = 5 * time.Minute

// compileFlags is the command line of mayfly-engine compile.
type compileFlags struct {
	module  int
	out     string
	timeout time.Duration
}

func parseCompileFlags(args []string) (compileFlags, error) {
	var f compileFlags
	s := flag.NewFlagSet("mayfly-engine compile", flag.ContinueOnError)
	s.SetOutput(io.Discard) // the error says it
	s.IntVar(&f.module, "module", -1, "")
	s.StringVar(&f.out, "out", "", "")
	s.DurationVar(&f.timeout, "timeout", compileTimeout, "")
	if err := s.Parse(args); errors.Is(err, flag.ErrHelp) {
		return compileFlags{}, errors.New("the shim runs this program; people have mayfly serve, which keeps what it compiles")
	} else if err != nil {
		return compileFlags{}, err
	}
	switch {
	case f.module < 0:
		return compileFlags{}, errors.New("-module must be the descriptor of a module")
	case f.out == "":
		return compileFlags{}, errors.New("-out must be an empty directory")
	case f.timeout <= 0:
		return compileFlags{}, errors.New("-timeout must be longer than nothing")
	case s.NArg() > 0:
		return compileFlags{}, fmt.Errorf("%q is one argument too many", s.Arg(0))
	}
	return f, nil
}

// doCompile compiles a module. Whoever runs it looks at what came of it before it is used: this process may have been taken over by the module.
func doCompile(args []string, stderr io.Writer) int {
	f, err := parseCompileFlags(args)
	if err != nil {
		fmt.Fprintln(stderr, "mayfly-engine compile:", err)
		return exitUsage
	}
	// A compiler is not asked whether it wants to go on.
	late := time.AfterFunc(f.timeout, func() {
		fmt.Fprintf(stderr, "compile: not done after %v: build the module smaller\n", f.timeout)
		os.Exit(exitFailure)
	})
	defer late.Stop()
	if err := compile(f); err != nil {
		fmt.Fprintln(stderr, strings.Join(strings.Fields(err.Error()), " ")) // one line
		return exitFailure
	}
	return 0
}

func compile(f compileFlags) error {
	in := os.NewFile(uintptr(f.module), "module")
	if in == nil {
		return errors.New("read the module: there is no such descriptor")
	}
	wasm, err := io.ReadAll(io.LimitReader(in, weave.MaxModule+1))
	if err = errors.Join(err, in.Close()); err != nil {
		return fmt.Errorf("read the module: %w", err)
	}
	return wasihttp.Compile(context.Background(), wasm, f.out)
}
