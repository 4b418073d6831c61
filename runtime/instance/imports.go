package instance

import (
	"fmt"
	"strings"

	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/mayfly-run/mayfly/runtime/weave"
)

// maxShown bounds how many unknown imports an error names.
const maxShown = 3

// checkImports refuses what no host function provides. That includes the function that the weaving adds: it is not for guests to call.
func (r *Runtime) checkImports(imports []weave.Import) error {
	var problems []string
	unknown, hint := 0, ""
	for _, im := range imports {
		problem := r.importProblem(im)
		if problem == "" {
			continue
		}
		if unknown++; unknown <= maxShown {
			problems = append(problems, fmt.Sprintf("%.64q.%.64q (%s): %s", im.Module, im.Name, im.Kind, problem))
		}
		if hint == "" {
			hint = importHint(im.Module)
		}
	}
	if unknown == 0 {
		return nil
	}
	more := ""
	if unknown > maxShown {
		more = fmt.Sprintf("; and %d more", unknown-maxShown)
	}
	return fmt.Errorf("%w: import %s%s; mayfly provides %s only: %s", ErrImport, strings.Join(problems, "; import "), more, wasi.ModuleName, hint)
}

// importProblem says what is wrong with an import, or nothing.
func (r *Runtime) importProblem(im weave.Import) string {
	if im.Module != wasi.ModuleName {
		return "nothing provides it"
	}
	if im.Kind != weave.Function {
		return "WASI has functions only"
	}
	f, ok := r.wasi.functions[im.Name]
	if !ok {
		return "WASI 0.1 has no such function"
	}
	if have := (weave.Type{Params: f.ParamTypes(), Results: f.ResultTypes()}); !im.Type.Equal(&have) {
		return "WASI's function of this name has other parameters or results"
	}
	return ""
}

// importHint says what to do about an import from a module, which tells what the guest was built for.
func importHint(module string) string {
	switch {
	case module == wasi.ModuleName:
		return "rebuild with a current toolchain for wasm32-wasip1"
	case module == "wasi_unstable":
		return "the module is for the WASI of 2019: rebuild with a current toolchain for wasm32-wasip1"
	case module == "env":
		return "a symbol was left undefined at link time, or the module was made by Emscripten for a web page: rebuild for wasm32-wasip1 and link without --allow-undefined"
	case module == "gojs", module == "go":
		return "the module is for a web page: rebuild with GOOS=wasip1"
	case module == "wbg", strings.HasPrefix(module, "__wbindgen"):
		return "the module is for a web page: rebuild for wasm32-wasip1, without wasm-bindgen"
	case strings.Contains(module, ":"), strings.HasPrefix(module, "cm32p2"):
		return "the module is to be the inside of a component: make one of it with 'wasm-tools component new', or rebuild for wasm32-wasip1"
	}
	return "rebuild for wasm32-wasip1, without what the module expects of another host"
}
