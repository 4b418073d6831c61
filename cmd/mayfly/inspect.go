package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/cmd/mayfly/internal/describe"
	"github.com/mayfly-run/mayfly/internal/config"
)

// inspection is what inspect finds. Nothing in it is believed: it is shown.
type inspection struct {
	File    string       `json:"file"`
	Image   *imageFacts  `json:"image,omitempty"`
	Module  *moduleFacts `json:"module,omitempty"`
	Trigger string       `json:"trigger,omitempty"`
	Listen  []string     `json:"listen,omitempty"`
	implied bool         // the trigger is stated nowhere
	Runs    bool         `json:"runs"`
	Reason  string       `json:"reason,omitempty"` // why it does not run
}

type imageFacts struct {
	Names      []string          `json:"names"`
	Digest     string            `json:"digest"`
	Platform   string            `json:"platform"`
	User       string            `json:"user"`
	Entrypoint []string          `json:"entrypoint"`
	Env        []string          `json:"env"`
	Labels     map[string]string `json:"labels"`
}

type moduleFacts struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`
	Digest string `json:"digest"`
	describe.Summary
}

// errRunsNot ends an inspection of what does not run here; the reason is printed
// already.
var errRunsNot = errors.New("it does not run here")

func newInspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect FILE.wasm|IMAGE.tar",
		Short: "Tell what is in a module or an image, and whether it runs here",
		Long: `Tell what is in a WebAssembly module or component, or in an image archive:
imports, exports, memories, who made it; an image's names, user, trigger and
address; and whether this mayfly runs it, or why not.

Nothing of it is run, apart from a module's start section, under a deadline.

The exit code tells scripts what "runs here" tells people: 0 yes, 1 no, of a
module and of an image alike; an image of an ordinary Linux program is a no. All
that was found is printed all the same, the reason with it ("runs" and "reason"
in JSON). It is 1 too, with a message on stderr and nothing on stdout, where the
file cannot be read at all.`,
		Example: `  mayfly inspect app.wasm
  mayfly inspect hello.tar
  mayfly inspect -o json hello.tar | jq .module.imports
  mayfly inspect app.wasm > /dev/null && echo it runs`,
		ValidArgsFunction: completeFiles,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("inspect takes one file, not %d", len(args))
			}
			return nil
		},
	}
	f := formatFlag(cmd, "o")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		i, err := inspect(cmd, args[0])
		if err != nil {
			return err
		}
		if err := f.write(cmd.OutOrStdout(), i, i.text); err != nil {
			return err
		}
		if !i.Runs {
			return errRunsNot
		}
		return nil
	}
	return cmd
}

func inspect(cmd *cobra.Command, file string) (i inspection, err error) {
	s, err := openSource(file, cmd.ErrOrStderr())
	i.File = file
	switch {
	case errors.Is(err, errNotSidecar): // still an image that can be shown
		i.Reason = err.Error()
	case err != nil:
		return i, err
	default:
		defer func() { err = errors.Join(err, s.close()) }()
	}
	if s.image != nil {
		c := s.image.Config
		i.Image = &imageFacts{
			Names: s.image.Names, Digest: s.image.Digest.String(), Platform: s.image.Platform.String(),
			User: c.User, Entrypoint: s.command(nil), Env: c.Env, Labels: c.Labels,
		}
	}
	if s.wasm == nil && i.Reason != "" {
		return i, nil
	}
	sum := sha256.Sum256(s.wasm)
	i.Module = &moduleFacts{Name: s.arg0, Size: len(s.wasm), Digest: "sha256:" + hex.EncodeToString(sum[:])}
	if i.Module.Summary, err = describe.Read(s.wasm); errors.Is(err, describe.ErrNotWasm) {
		i.Module = nil
	}
	sidecar, err := config.Parse(s.env())
	if err != nil {
		i.Reason = err.Error()
		return i, nil
	}
	i.Trigger = string(sidecar.Trigger)
	if i.Trigger == "" && i.Module != nil {
		// What a core module is in a pod when nobody says.
		i.Trigger, i.implied = string(config.TriggerCommand), true
	}
	if s.image != nil && sidecar.Trigger == config.TriggerHTTP {
		for _, a := range sidecar.Listen {
			i.Listen = append(i.Listen, a.String())
		}
	}
	if err := checkModule(cmd.Context(), file, s.wasm, sidecar, cmd.ErrOrStderr()); err != nil {
		i.Reason = err.Error()
		return i, nil
	}
	i.Runs = true
	return i, nil
}

// text writes the inspection for a person.
func (i inspection) text(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(key string, values ...string) {
		for n, v := range values {
			if n > 0 {
				key = ""
			}
			fmt.Fprintf(tw, "%s\t%s\n", key, printable(v))
		}
	}
	row("file", i.File)
	if m := i.Image; m != nil {
		row("image", m.Names...)
		row("digest", m.Digest)
		row("platform", m.Platform)
		row("user", orNone(m.User, "root: nobody said otherwise"))
		row("entrypoint", strings.Join(m.Entrypoint, " "))
		row("environment", m.Env...)
		var labels []string
		for k, v := range m.Labels {
			labels = append(labels, k+"="+v)
		}
		slices.Sort(labels)
		row("labels", labels...)
	}
	if i.Runs {
		row("runs here", "yes")
	} else {
		row("runs here", "no: "+i.Reason)
	}
	switch {
	case i.implied:
		row("trigger", i.Trigger+" in a pod, unless MAYFLY_TRIGGER says http")
	case i.Trigger != "":
		row("trigger", i.Trigger)
	}
	row("listens on", i.Listen...)
	if m := i.Module; m != nil {
		row("module", fmt.Sprintf("%s, %s, %s", m.Name, m.Kind, humanBytes(int64(m.Size))))
		row("", m.Digest)
		m.rows(row)
	}
	return tw.Flush()
}

func (m *moduleFacts) rows(row func(string, ...string)) {
	for _, mem := range m.Memories {
		s := fmt.Sprintf("%d × 64 KiB", mem.Min)
		if mem.Max != nil {
			s += fmt.Sprintf(", at most %d × 64 KiB", *mem.Max)
		}
		for _, more := range []struct {
			set  bool
			name string
		}{{mem.Imported, "imported"}, {mem.Shared, "shared"}, {mem.Wide, "64-bit"}} {
			if more.set {
				s += ", " + more.name
			}
		}
		row("memory", s)
	}
	if m.Kind == describe.KindComponent {
		row("core modules", strconv.Itoa(m.Modules))
	} else {
		row("functions", strconv.Itoa(m.Functions))
	}
	row("imports", externs(m.Imports)...)
	row("exports", externs(m.Exports)...)
	var made, custom []string
	for _, p := range m.Producers {
		made = append(made, strings.TrimSpace(p.Field+" "+p.Name+" "+p.Version))
	}
	for _, c := range m.Customs {
		custom = append(custom, c.Name+", "+humanBytes(int64(c.Size)))
	}
	row("made by", made...)
	row("custom", custom...)
}

func externs(list []describe.Extern) []string {
	if len(list) == 0 {
		return []string{"none"}
	}
	var lines []string
	for _, e := range list {
		name := e.Name
		if e.Module != "" {
			name = e.Module + "." + name
		}
		lines = append(lines, strings.TrimSpace(e.Kind+" "+name+" "+e.Type))
	}
	return lines
}

func orNone(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// printable keeps what a hostile file says from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}
