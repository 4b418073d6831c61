package component

import (
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/types"
)

func TestAHostIsMadeOfWhatAComponentUses(t *testing.T) {
	packages := []Package{
		{WIT: "package a:io@0.2.12;\ninterface poll {}"},
		{WIT: "package a:clocks@0.2.12;\ninterface c { use a:io/poll@0.2.12.{pollable}; }"},
		{WIT: "package a:http;\ninterface types { use a:clocks/c@0.2.12.{d}; }"},
		{WIT: "package a:files@0.2.12;\ninterface f { use a:io/poll@0.2.12.{pollable}; }"},
	}
	for _, tc := range []struct {
		name    string
		imports []string
		want    []int
	}{
		{"nothing", nil, nil},
		{"one", []string{"a:io/poll@0.2.0"}, []int{0}},
		{"one that uses one that uses another", []string{"a:http/types"}, []int{0, 1, 2}},
		{"two", []string{"a:files/f@0.9.0", "a:clocks/c@0.2.1"}, []int{0, 1, 3}},
		{"what nobody has", []string{"b:io/poll@0.2.0", "a:io-more/poll", "poll"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &Definition{typ: &types.Component{}}
			for _, name := range tc.imports {
				d.typ.Imports = append(d.typ.Imports, types.Named{Name: name})
			}
			var got, want []string
			for _, p := range d.Uses(packages) {
				got = append(got, p.WIT)
			}
			for _, k := range tc.want {
				want = append(want, packages[k].WIT)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	unnamed := []Package{{WIT: "// a comment\npackage a:b;"}}
	if len((&Definition{typ: &types.Component{}}).Uses(unnamed)) != 1 {
		t.Error("a package whose name is not where it is looked for was left out")
	}
}
