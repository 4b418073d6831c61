package validate_test

import (
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/internal/encode"
)

func TestValidComponents(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sections [][]byte
	}{
		{"nothing", nil},
		{"names that differ in hyphens", [][]byte{typ(noFunc), imports("a1", fn, 0), imports("a-1", fn, 0), imports("go-1", fn, 0)}},
		{"an interface in several versions", [][]byte{typ(noFunc), imports("a:b/c", fn, 0), imports("a:b/c@0.2.0", fn, 0), imports("a:b/c@0.2.10-rc.1+x.02", fn, 0)}},
		{"an interface in the version of a track", [][]byte{typ(instanceType()), encode.Section(encode.Import,
			cat(raw(2), name("a:b/c@0.2"), vec(cat(raw(1), name(".6"))), raw(inst, 0)))}},
		{"a constructor beside its resource", [][]byte{imports("r", fresh...), typ(raw(0x69, 0)), typ(encode.Func(raw(1))), imports("[constructor]r", fn, 2)}},
		{"an import that is exported again", [][]byte{typ(noFunc), imports("f", fn, 0), exports("f", fn, 0)}},
		{"a resource type that is exported as another one", [][]byte{typ(resource), exports("a", ty, 0),
			encode.Section(encode.Export, cat(encode.Extern("b"), raw(ty, 0, 1), fresh))}},
		{"an instance that is exported as less than it is", [][]byte{typ(resource),
			encode.Section(encode.Instance, cat(raw(1), vec(cat(encode.Extern("a"), raw(ty, 0)), cat(encode.Extern("b"), raw(ty, 0))))),
			typ(instanceType(exportDecl("a", fresh...))), encode.Section(encode.Export, cat(encode.Extern("i"), raw(inst, 0, 1, inst, 1)))}},
		{"a record that is used by the name it is exported with", [][]byte{typ(record(encode.Field("a", u8))), exports("r", ty, 0),
			typ(encode.Func(nil, encode.Field("r", 1))), code, canon(0, 0, 1, 0, 2), exports("f", fn, 0)}},
		{"a list of one element as a core value", [][]byte{typ(raw(0x67, 0x79, 1)), typ(encode.Func(nil, encode.Field("l", 0))), code, canon(0, 0, 1, 0, 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := verdict(encode.Component(tt.sections...)); err != nil {
				t.Error(err)
			}
		})
	}
}
