package weave_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/mayfly-run/mayfly/internal/guests"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// FuzzWeave: no module brings the weaving down, and the engine takes a woven module exactly when it takes the original.
func FuzzWeave(f *testing.F) {
	for _, name := range guests.Names() {
		if wasm := guests.Wasm(name); len(wasm) < 8<<10 {
			f.Add(wasm)
		}
	}
	for _, file := range files("testdata/*.wasm", "../instance/testdata/*.wasm", "../instance/testdata/group/*.wasm") {
		wasm, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wasm)
	}
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if problem := disagreement(wasm); problem != "" {
			t.Error(problem)
		}
	})
}

func files(patterns ...string) (all []string) {
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // a bad pattern finds nothing
		all = append(all, found...)
	}
	return all
}

// TestEveryChangeOfAByteIsJudgedAsTheEngineJudgesIt changes modules a byte at a time.
func TestEveryChangeOfAByteIsJudgedAsTheEngineJudgesIt(t *testing.T) {
	for _, guest := range []string{"hello", "residue", "residue-table"} {
		wasm := guests.Wasm(guest)
		for at, was := range wasm {
			for _, b := range []byte{was - 1, was + 1, was ^ 0x40, was ^ 0x80, 0x00, 0x01, 0x7f, 0xff} {
				wasm[at] = b
				if problem := disagreement(wasm); problem != "" {
					t.Errorf("%s with byte %#x changed from %#02x to %#02x: %s", guest, at, was, b, problem)
				}
			}
			wasm[at] = was
		}
	}
}

// disagreement weaves a module and says what is wrong with the outcome. Modules that are not taken apart are fine: they are refused.
func disagreement(wasm []byte) string {
	m, err := weave.Read(wasm)
	if err != nil {
		return ""
	}
	woven, err := m.Weave()
	if err != nil {
		return ""
	}
	before := compile(wasm)
	if problem := judge(before, compile(woven)); problem != "" {
		return problem + " when woven"
	}
	var links []weave.Link
	for i := range m.Imports {
		links = append(links, weave.Link{Module: "0", Name: strconv.Itoa(i)})
	}
	if err := m.Relink(links); err != nil {
		return err.Error()
	}
	if woven, err = m.Weave(); err != nil {
		return fmt.Sprintf("it can be woven, but not when it is linked: %v", err)
	}
	if problem := judge(before, compile(woven)); problem != "" {
		return problem + " when woven and linked"
	}
	_, n := m.Data(1<<16, func(int) (int32, bool) { return 0, true })
	m.TakeData(n)
	if woven, err = m.Weave(); err != nil {
		return fmt.Sprintf("it can be woven, but not without its data: %v", err)
	}
	if problem := judge(before, compile(woven)); problem != "" {
		return problem + " when its data is taken out"
	}
	m.Check = weave.Tick
	for range 2 {
		if woven, err = m.Weave(); err != nil {
			return fmt.Sprintf("it can be woven, but not with ticks: %v", err)
		}
		if problem := judge(before, compile(woven)); problem != "" {
			return problem + " when woven with ticks"
		}
		m.Fine()
	}
	m.Keep(map[string]bool{})
	if woven, err = m.Weave(); err != nil {
		return fmt.Sprintf("it can be woven, but not without exports: %v", err)
	}
	if problem := judge(before, compile(woven)); problem != "" {
		return problem + " when woven without exports"
	}
	return ""
}

// judge compares what the engine says of a module with what it says when it is woven. What is wrong with custom sections is gone with
// them, and names of imports that the engine does not like are gone when they are linked.
func judge(before, after error) string {
	switch {
	case before == nil && after != nil:
		return fmt.Sprintf("a good module is bad (%v)", after)
	case before == nil || after != nil || strings.Contains(before.Error(), "custom") || strings.Contains(before.Error(), "empty module name"):
		return ""
	}
	return fmt.Sprintf("a bad module (%v) is good", before)
}

// validator takes apart and validates; that it would interpret does not matter here.
var validator = sync.OnceValue(func() wazero.Runtime {
	return wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features))
})

func compile(wasm []byte) error {
	m, err := validator().CompileModule(context.Background(), wasm)
	if err == nil {
		m.Close(context.Background())
	}
	return err
}
