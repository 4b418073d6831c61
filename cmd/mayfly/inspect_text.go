package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/mayfly-run/mayfly/cmd/mayfly/internal/describe"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

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
	switch {
	case !i.Runs:
		row("runs here", "no: "+i.Reason)
	case len(i.Module.Lacks) > 0:
		row("runs here", "yes: its code calls nothing of what is not provided")
	default:
		row("runs here", "yes")
	}
	if i.Trigger != "" {
		row("trigger", i.Trigger+i.implied)
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
	switch {
	case m.Kind == describe.KindModule:
		row("functions", strconv.Itoa(m.Functions))
		row("imports", externs(m.Imports)...)
		row("exports", externs(m.Exports)...)
	case m.component != nil:
		row("world", world(m.component)...)
		row("not provided", m.Lacks...)
	}
	row("core modules", modules(m.Modules)...)
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

// world is what a component imports and exports, a line each.
func world(d *component.Definition) []string {
	lines := strings.Split(strings.TrimSpace(wit.Summary(d.Type())), "\n")
	if len(lines) < 3 { // the first and the last are the world's own
		return []string{"empty"}
	}
	lines = lines[1 : len(lines)-1]
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return lines
}

// maxModules bounds the core modules of a component that are listed.
const maxModules = 50

func modules(all []describe.Module) []string {
	var lines []string
	for _, m := range all[:min(len(all), maxModules)] {
		lines = append(lines, strings.TrimPrefix(m.Name+", "+humanBytes(int64(m.Size)), ", "))
	}
	if n := len(all) - maxModules; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
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
