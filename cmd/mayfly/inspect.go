package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mayfly-run/mayfly/cmd/mayfly/internal/describe"
	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// inspection is what inspect finds. Nothing in it is believed: it is shown.
type inspection struct {
	File    string       `json:"file"`
	Image   *imageFacts  `json:"image,omitempty"`
	Module  *moduleFacts `json:"module,omitempty"`
	Trigger string       `json:"trigger,omitempty"`
	Listen  []string     `json:"listen,omitempty"`
	implied string       // why the trigger is that, where nobody states it
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
	Lacks []string `json:"notProvided,omitempty"` // a sentence for each import of a component that mayfly has not
	WIT   string   `json:"wit,omitempty"`

	component *component.Definition // nil: a core module, or not valid
}

// errRunsNot ends an inspection of what does not run here; the reason is printed
// already.
var errRunsNot = errors.New("it does not run here")

func newInspect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "inspect FILE.wasm|IMAGE.tar",
		Short: "Tell what is in a component, a module or an image, and whether it runs here",
		Long: `Tell what is in a WebAssembly module or component, or in an image archive:
imports, exports, memories, who made it; an image's names, user, trigger and
address; and whether this mayfly runs it, or why not. Of a component, what it imports
and mayfly does not have is listed: it runs all the same where its code calls nothing
of that. --wit prints its imports and exports in full, as WIT.

Nothing of it is run, apart from start sections, under a deadline.

The exit code tells scripts what "runs here" tells people: 0 yes, 1 no, of a
module and of an image alike; an image of an ordinary Linux program is a no. All
that was found is printed all the same, the reason with it ("runs" and "reason"
in JSON). It is 1 too, with a message on stderr and nothing on stdout, where the
file cannot be read at all.`,
		Example: `  mayfly inspect app.wasm
  mayfly inspect hello.tar
  mayfly inspect --wit app.wasm
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
	full := cmd.Flags().Bool("wit", false, "print a component's imports and exports as WIT, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *full && *f == "text" {
			return printWIT(cmd, args[0])
		}
		i, err := inspect(cmd, args[0])
		if err != nil {
			return err
		}
		if *full && i.Module != nil && i.Module.component != nil {
			i.Module.WIT = wit.Print(i.Module.component.Type())
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
	i.Module = readFacts(s)
	sidecar, err := config.Parse(s.env())
	if err != nil {
		i.Reason = err.Error()
		return i, nil
	}
	i.Trigger = string(sidecar.Trigger)
	trigger, err := check(cmd.Context(), file, s.wasm, sidecar, cmd.ErrOrStderr())
	if i.Trigger == "" && i.Module != nil {
		i.imply(trigger)
	}
	if s.image != nil && i.Trigger == string(config.TriggerHTTP) {
		for _, a := range sidecar.Listen {
			i.Listen = append(i.Listen, a.String())
		}
	}
	if err != nil {
		i.Reason = err.Error()
		return i, nil
	}
	i.Runs = true
	return i, nil
}

// imply says what starts an instance in a pod when nobody says it.
func (i *inspection) imply(found config.TriggerKind) {
	switch {
	case i.Module.Kind == describe.KindModule:
		i.Trigger, i.implied = string(config.TriggerCommand), " in a pod, unless MAYFLY_TRIGGER says http"
	case found == config.TriggerHTTP:
		i.Trigger, i.implied = string(found), ", for it exports "+incomingHandler
	case found == config.TriggerCommand:
		i.Trigger, i.implied = string(found), ", for it exports "+cliRun
	}
}

// readFacts is nil where s holds nothing that begins as WebAssembly does.
func readFacts(s *source) *moduleFacts {
	sum := sha256.Sum256(s.wasm)
	m := &moduleFacts{Name: s.arg0, Size: len(s.wasm), Digest: "sha256:" + hex.EncodeToString(sum[:])}
	var err error
	if m.Summary, err = describe.Read(s.wasm); errors.Is(err, describe.ErrNotWasm) {
		return nil
	}
	if !component.Is(s.wasm) {
		return m
	}
	if m.component, err = component.Read(s.wasm); err != nil {
		return m // whoever loads it says why
	}
	m.Imports, m.Exports = named(m.component.Type().Imports), named(m.component.Type().Exports)
	m.Lacks = lacks(m.component)
	return m
}

// maxNamed bounds the imports and the exports of a component that are told: a file that
// has more is not one a person reads about.
const maxNamed = 10_000

// named is what a component imports or exports.
func named(all []types.Named) []describe.Extern {
	all = all[:min(len(all), maxNamed)]
	externs := make([]describe.Extern, len(all))
	for i, n := range all {
		externs[i] = describe.Extern{Name: n.Name, Kind: n.Sort.String()}
		if n.Sort == types.SortFunc {
			externs[i].Type = wit.Func(n.Func)
		}
	}
	return externs
}

// printWIT prints what a component imports and exports.
func printWIT(cmd *cobra.Command, file string) (err error) {
	s, err := openSource(file, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if !component.Is(s.wasm) {
		return fmt.Errorf("%s: a core module has no WIT: leave --wit out", file)
	}
	d, err := component.Read(s.wasm)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), wit.Print(d.Type()))
	return err
}
