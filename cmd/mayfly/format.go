package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

// format is how a command writes its result: text for people, json for programs.
type format string

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "text|json" }

func (f *format) Set(s string) error {
	if s != "text" && s != "json" {
		return fmt.Errorf("want text or json")
	}
	*f = format(s)
	return nil
}

// formatFlag adds --format. shorthand is o, or empty where -o names a file.
func formatFlag(cmd *cobra.Command, shorthand string) *format {
	f := format("text")
	cmd.Flags().VarP(&f, "format", shorthand, "how the result is written")
	completeWith(cmd, "format", "text", "json")
	return &f
}

// completeWith lets a shell complete the values of a flag that the command has.
func completeWith(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is not there: a mistake in this program
	}
}

// write writes v as JSON, or lets text write it.
func (f format) write(w io.Writer, v any, text func(io.Writer) error) error {
	if f == "text" {
		return text(w)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// humanBytes is n as a person says it: 23.4 kB.
func humanBytes(n int64) string {
	v, units := float64(n), []string{"B", "kB", "MB", "GB"}
	i := 0
	for ; v >= 1000 && i < len(units)-1; i++ {
		v /= 1000
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[i]
}
