package component

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// What Load refuses. The errors wrap one of these and say what the user can do.
var (
	ErrNotComponent = errors.New("not a component")
	ErrMalformed    = errors.New("malformed component")
	ErrInvalid      = errors.New("invalid component")
	ErrUnsupported  = errors.New("the component needs what is not supported")
	ErrImport       = errors.New("unknown import")
	ErrExport       = errors.New("no such export")
)

// lack is the error that nothing is provided under a name. A component may import a great many things that it never uses, so what there is
// to say is put together when somebody asks.
type lack struct {
	host        *Host
	iface, name string // name is empty for all of an interface; iface for what is in none
}

func (l *lack) Unwrap() error { return ErrImport }

func (l *lack) Error() string {
	if l.iface == "" {
		return fmt.Sprintf("%v: %q, of no interface: nothing provides it: %s", ErrImport, l.name, hint(l.name))
	}
	what, why := l.iface, "nothing provides it"
	if l.name != "" {
		what += fmt.Sprintf(" (for %q)", l.name)
	}
	if p := l.host.other(l.iface); p != nil {
		why = "mayfly has " + p.name
	}
	return fmt.Sprintf("%v: %s: %s; mayfly provides %s: %s", ErrImport, what, why, l.host.summary(), hint(l.iface))
}

// lacksFunc says that an interface has no such function here.
func (h *Host) lacksFunc(p *provided, iface, name string) error {
	return fmt.Errorf("%w: %s: it has no function %q in mayfly's %s: build with the declarations of that version", ErrImport, iface, name, p.name)
}

// differs says that a function has another type than the component thinks.
func differs(iface, name string, want, have *types.Func) error {
	return fmt.Errorf("%w: %s: %q has another type: the component wants %s, mayfly has %s: build with WASI's own declarations",
		ErrImport, iface, name, wit.Func(want), wit.Func(have))
}

// other finds an interface of the same name and another version.
func (h *Host) other(iface string) *provided {
	base := unversioned(iface)
	for _, p := range h.interfaces {
		if unversioned(p.name) == base {
			return p
		}
	}
	return nil
}

// summary lists the packages that the host provides.
func (h *Host) summary() string {
	seen := map[string]bool{}
	for _, p := range h.interfaces {
		base, version, _ := strings.Cut(p.name, "@")
		if pkg, _, ok := strings.Cut(base, "/"); ok {
			seen[pkg+"@"+version] = true
		}
	}
	if len(seen) == 0 {
		return "nothing"
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// hint says what to do about an interface that is not provided. What it is called tells where it comes from.
func hint(iface string) string {
	_, version, _ := strings.Cut(iface, "@")
	switch {
	case strings.HasPrefix(iface, "wasi:") && strings.HasPrefix(version, "0.3"):
		return "that is WASI 0.3: build for 0.2 (Rust: --target wasm32-wasip2; wit-bindgen, jco and componentize-py: declarations of 0.2)"
	case strings.HasPrefix(iface, "wasi:cli/") || strings.HasPrefix(iface, "wasi:http/") || strings.HasPrefix(iface, "wasi:io/"):
		return "build with declarations of a released WASI 0.2"
	case strings.HasPrefix(iface, "wasi:"):
		return "build without it, or compose the component with one that provides it ('wac plug')"
	case strings.HasPrefix(iface, "fermyon:spin/"), strings.HasPrefix(iface, "spin:"):
		return "that is Spin's own: use its SDK's wasi:http parts only, and environment variables or files in place of variables and stores"
	case strings.HasPrefix(iface, "wasmcloud:"):
		return "that is wasmCloud's own: build with WASI's interfaces only"
	case iface == "wasi_snapshot_preview1", iface == "env":
		return "the component was made without an adapter: 'wasm-tools component new --adapt wasi_snapshot_preview1=…'"
	}
	return "compose the component with one that provides it ('wac plug'), or build without it"
}
