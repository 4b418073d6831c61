package main

import (
	"regexp"
	"testing"
)

func TestEachRequestHasANameOfItsOwn(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)
	seen := map[string]bool{}
	for _, c := range committed {
		for _, g := range c.groups {
			for _, q := range g.requests {
				id := c.name + "/" + g.name + "/" + q.name
				if seen[id] || !name.MatchString(q.name) || !name.MatchString(g.name) {
					t.Errorf("%s: not a name, or one that another has", id)
				}
				seen[id] = true
				if (q.head == "") == (q.raw == "") {
					t.Errorf("%s: head or raw, one of them", id)
				}
			}
		}
	}
}

func TestEveryKnownDifferenceIsOfARequestThatIsThere(t *testing.T) {
	k, err := parseKnown(knownText)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	r := &runner{origin: &origin{addr: "127.0.0.1:1"}}
	for _, c := range committed {
		for _, q := range r.questions(&component{c.name, c.file, c.groups}) {
			there[q.id] = true
		}
	}
	for _, name := range []string{"time-go", "time-javascript", "time-javascript-handler", "time-python"} {
		for _, q := range r.questions(&component{name, "", telling}) {
			there[q.id] = true
		}
	}
	for w := range k.reasons {
		if !there[w.request] || w.server != "wasmtime" && w.server != "jco" {
			t.Errorf("known.txt: %v: no such request, or no such server", w)
		}
	}
}

func TestWhatMayDifferIsBroughtToOneForm(t *testing.T) {
	for _, c := range []struct {
		name string
		read func(string) string
		a, b string
	}{
		{"fields of a request in any order", asSeen, "method: get\nheader: b=1\nheader: a=2\nheader: a=1\n", "method: get\nheader: a=2\nheader: a=1\nheader: b=1\n"},
		{"an id that only mayfly gives", asSeen, "method: get\nheader: x-request-id=7\n", "method: get\n"},
		{"times and random values", withoutNumbers, "wall=12.5 id=00ff00ff00ff00ff", "wall=3.25 id=1234567890abcdef"},
		{"fields of an answer in any order", asReported, "status 200\nb=1\na=2\n\nbody", "status 200\na=2\nb=1\n\nbody"},
		{"trailers that are there and empty", asReported, "status 200\n\nbody\ntrailers:\n", "status 200\n\nbody"},
		{"why a body broke off", asReported, "status 200\n\nhe\nread: aborted\n", "status 200\n\nhe\nread: unexpected end\n"},
		{"trailers of a request that are there and empty", withoutEmptyTrailers, "5 3610a686\ntrailers: ", "5 3610a686\ntrailers: none\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := c.read(c.a), c.read(c.b); a != b {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
}

func TestTheOrderOfTheValuesOfAFieldIsNotLost(t *testing.T) {
	if asSeen("header: a=1\nheader: a=2\n") == asSeen("header: a=2\nheader: a=1\n") {
		t.Error("two orders of values are the same")
	}
}
