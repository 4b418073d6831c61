package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what this binary is made of.
type version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a tree with changes beside the commit
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
		info, _ := debug.ReadBuildInfo()
		v := readVersion(info)
		return f.write(cmd.OutOrStdout(), v, func(w io.Writer) error {
			commit := v.Commit
			if commit == "" {
				commit = "unknown"
			}
			if v.Modified {
				commit += " (modified)"
			}
			_, err := fmt.Fprintf(w, "mayfly   %s\ncommit   %s\ngo       %s\nwazero   %s\nplatform %s\n",
				v.Version, commit, v.Go, v.Wazero, v.Platform)
			return err
		})
	}
	return cmd
}

// readVersion takes what the linker left in the binary; info is nil where it
// left nothing.
func readVersion(info *debug.BuildInfo) version {
	v := version{Version: "unknown", Wazero: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/tetratelabs/wazero" {
			v.Wazero = d.Version
		}
	}
	return v
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, but there is %q", cmd.Name(), args[0])
	}
	return nil
}
