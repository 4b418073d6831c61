package main

import (
	"errors"
	"testing"
)

func TestKnownDifferencesHaveAReason(t *testing.T) {
	k, err := parseKnown("# a comment\nOne reason,\ntwo lines of it.\n  jco a/b/c body\n  wasmtime a/b/c body\n\nAnother.\n\tjco a/b/d field:x\n")
	if err != nil {
		t.Fatal(err)
	}
	for w, want := range map[which]string{
		{"jco", "a/b/c", "body"}:      "One reason, two lines of it.",
		{"wasmtime", "a/b/c", "body"}: "One reason, two lines of it.",
		{"jco", "a/b/d", "field:x"}:   "Another.",
		{"jco", "a/b/d", "body"}:      "",
	} {
		if got := k.reason(w); got != want {
			t.Errorf("%v: %q, want %q", w, got, want)
		}
	}
}

func TestAListThatCannotBeReadIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"a difference without a reason": "  jco a/b/c body\n",
		"a difference of two words":     "Why.\n  jco a/b/c\n",
		"a difference listed twice":     "Why.\n  jco a/b/c body\n  jco a/b/c body\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseKnown(text); !errors.Is(err, errKnown) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestAKnownDifferenceThatIsNoneAnyMoreIsStale(t *testing.T) {
	k, err := parseKnown("Why.\n  jco a/b/c body\n  jco a/b/d body\n  wasmtime a/b/c body\n")
	if err != nil {
		t.Fatal(err)
	}
	k.reason(which{"jco", "a/b/c", "body"})
	got := k.stale(func(server, _ string) bool { return server == "jco" })
	if len(got) != 1 || got[0] != (which{"jco", "a/b/d", "body"}) {
		t.Errorf("stale %v", got)
	}
}

func FuzzParseKnown(f *testing.F) {
	f.Add(knownText)
	f.Add("Why.\n  jco a/b/c body\n")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := parseKnown(text)
		if err != nil {
			return
		}
		for w, reason := range k.reasons {
			if reason == "" || w.server == "" || w.request == "" || w.aspect == "" {
				t.Errorf("%+v: %q", w, reason)
			}
		}
	})
}
