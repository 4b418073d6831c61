package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/internal/version"
)

// versions is what this binary is made of.
type versions struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"` // empty when the binary does not know
	Go       string `json:"go"`
	Wazero   string `json:"wazero"`
	Platform string `json:"platform"`
}

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of mayfly and of what it is made of",
		Example: `  mayfly version
  mayfly version -o json`,
		Args: noArgs,
	}
	f := formatFlag(cmd, "o")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := currentVersions()
		return f.write(cmd.OutOrStdout(), v, v.text)
	}
	return cmd
}

func currentVersions() versions {
	info, _ := debug.ReadBuildInfo()
	return versions{
		Version: version.Version, Commit: version.Commit(), Wazero: dependency(info, "github.com/tetratelabs/wazero"),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

// text writes the versions for a person.
func (v versions) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "mayfly    %s\ncommit    %s\ngo        %s\nwazero    %s\nplatform  %s\n",
		v.Version, cmp.Or(v.Commit, "unknown"), v.Go, v.Wazero, v.Platform)
	return err
}

// dependency is the version of a module that the binary was built with.
func dependency(info *debug.BuildInfo, path string) string {
	if info != nil {
		for _, d := range info.Deps {
			if d.Path == path {
				return d.Version
			}
		}
	}
	return "unknown"
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, but there is %q", cmd.Name(), args[0])
	}
	return nil
}
