package abi

import (
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

// How many core values parameters and results are passed in before they go through memory.
const (
	MaxFlatParams  = 16
	MaxFlatResults = 1
)

// FuncType is the type of a function made ready for calls: what can be computed from the type alone has been. It may be shared.
type FuncType struct {
	typ    *types.Func
	params layout  // of the tuple of the parameters
	result *layout // nil: none
}

// NewFuncType makes a function type ready. It fails if a type in it is none that validation lets pass, by its size for one.
func NewFuncType(t *types.Func) (*FuncType, error) {
	ft := &FuncType{typ: t}
	ls := layouts{}
	if err := ls.record(&ft.params, t.Params, 0); err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	if t.Result == nil {
		return ft, nil
	}
	var err error
	if ft.result, err = ls.of(t.Result, 0); err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return ft, nil
}

// Type is the function's type.
func (ft *FuncType) Type() *types.Func { return ft.typ }

// FlattenLift is the type of the core function that canon lift takes: a byte for each parameter and result, as WebAssembly encodes
// them. Canonical ABI, flatten_functype.
func (ft *FuncType) FlattenLift() (params, results []byte) {
	params, results = ft.flatParams(), ft.flatResults()
	if ft.resultInMemory() {
		results = []byte{CoreI32}
	}
	return params, results
}

// FlattenLower is the type of the core function that canon lower makes.
func (ft *FuncType) FlattenLower() (params, results []byte) {
	params, results = ft.flatParams(), ft.flatResults()
	if ft.resultInMemory() {
		params = append(params, CoreI32)
	}
	return params, results
}

// flatParams may be appended to.
func (ft *FuncType) flatParams() []byte {
	if ft.paramsInMemory() {
		return []byte{CoreI32}
	}
	return append([]byte(nil), ft.params.flat...)
}

func (ft *FuncType) flatResults() []byte {
	if ft.result == nil || ft.resultInMemory() {
		return nil
	}
	return append([]byte(nil), ft.result.flat...)
}

func (ft *FuncType) paramsInMemory() bool { return ft.params.flats > MaxFlatParams }

func (ft *FuncType) resultInMemory() bool {
	return ft.result != nil && ft.result.flats > MaxFlatResults
}

// coreParams is how many parameters the core function has that takes the parameters; where canon lower passes the address for a result in
// memory, it comes after them.
func (ft *FuncType) coreParams() int {
	if ft.paramsInMemory() {
		return 1
	}
	return ft.params.flats
}
