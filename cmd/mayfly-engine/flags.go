package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFiles bounds the descriptors of one flag.
const maxFiles = 1024

// flags is the command line.
type flags struct {
	status      int
	listen      []int
	conns       []int
	greeted     []int // connections, too
	take        bool  // the holder looks after connections while the app is loaded, and hands them over
	module      string
	compiled    int // a directory, -1 for none
	memoryLimit uint64
	warnings    []string // about the pod, for the log
	args        []string // of the guest
}

func parseFlags(args []string) (flags, error) {
	var f flags
	s := flag.NewFlagSet("mayfly-engine", flag.ContinueOnError)
	s.SetOutput(io.Discard) // the error says it
	s.IntVar(&f.status, "status", -1, "")
	s.Func("listen", "", files(&f.listen))
	s.Func("conn", "", files(&f.conns))
	s.Func("greeted", "", files(&f.greeted))
	s.BoolVar(&f.take, "take", false, "")
	s.StringVar(&f.module, "module", "", "")
	s.IntVar(&f.compiled, "compiled", -1, "")
	s.Uint64Var(&f.memoryLimit, "memory-limit", 0, "")
	s.Func("warn", "", func(text string) error {
		f.warnings = append(f.warnings, text)
		return nil
	})
	if err := s.Parse(args); errors.Is(err, flag.ErrHelp) {
		return flags{}, errors.New("mayfly-init runs this program; people do not: see mayfly --help")
	} else if err != nil {
		return flags{}, err
	}
	f.args = s.Args()
	switch {
	case f.status < 3:
		return flags{}, errors.New("-status must be the descriptor of a link to the holder: to run a module by hand, use mayfly serve")
	case f.compiled < 3 && f.compiled != -1:
		return flags{}, errors.New("-compiled must be the descriptor of a directory, from 3 on")
	case !filepath.IsAbs(f.module):
		return flags{}, fmt.Errorf("-module %q must be an absolute path", f.module)
	case len(f.args) == 0:
		return flags{}, errors.New("the guest's name and arguments must follow --")
	}
	return f, nil
}

// files reads a list of descriptors, which are none of the standard ones.
func files(list *[]int) func(string) error {
	return func(s string) error {
		for text := range strings.SplitSeq(s, ",") {
			fd, err := strconv.Atoi(text)
			if err != nil || fd < 3 {
				return fmt.Errorf("want descriptors from 3 on, as in 4,5")
			}
			if len(*list) == maxFiles {
				return fmt.Errorf("want at most %d descriptors", maxFiles)
			}
			*list = append(*list, fd)
		}
		return nil
	}
}
