package main

import (
	"errors"
	"slices"
	"testing"
)

func TestWhatTwoAnswersDifferIn(t *testing.T) {
	ok := answer{status: 200, body: "hi"}
	lost := answer{lost: errClosed}
	with := func(a answer, change func(*answer)) answer {
		change(&a)
		return a
	}
	for _, c := range []struct {
		name string
		r    request
		a, b answer
		want []string
	}{
		{"nothing", request{}, ok, ok, nil},
		{"there is none", request{}, ok, lost, []string{"answer"}},
		{"there is none of both", request{}, lost, lost, nil},
		{"none for other reasons", request{}, lost, answer{lost: errors.New("no answer")}, []string{"answer"}},
		{"the status, and then nothing else is", request{}, ok, answer{status: 500, body: "no"}, []string{"status"}},
		{"the body", request{}, ok, answer{status: 200, body: "ho"}, []string{"body"}},
		{"the words of the servers are their own", request{own: true}, ok, answer{status: 200, body: "ho"}, nil},
		{"a field", request{}, ok, with(ok, func(a *answer) { a.fields = []field{{"x-a", "1"}} }), []string{"field:x-a"}},
		{"a field that frames", request{}, ok, with(ok, func(a *answer) { a.fields = []field{{"content-length", "2"}} }), nil},
		{"a length that is the guest's", request{length: true}, ok, with(ok, func(a *answer) { a.fields = []field{{"content-length", "2"}} }), []string{"field:content-length"}},
		{"a trailer", request{}, ok, with(ok, func(a *answer) { a.trailers = []field{{"t", "1"}} }), []string{"trailer:t"}},
		{"an informational answer", request{}, ok, with(ok, func(a *answer) { a.interim = []int{100} }), []string{"interim"}},
		{"one broke off before its head", request{}, with(ok, func(a *answer) { a.cut = true }), lost, nil},
		{"one is not whole", request{}, ok, with(ok, func(a *answer) { a.cut = true }), []string{"end"}},
		{"neither is whole", request{}, with(ok, func(a *answer) { a.cut = true }), with(ok, func(a *answer) { a.cut, a.body = true, "" }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range compare(&c.r, []answer{c.a}, []answer{c.b}, asItIs) {
				got = append(got, d.aspect)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	t.Run("an answer that only one gave", func(t *testing.T) {
		got := compare(&request{}, []answer{ok, ok}, []answer{ok}, asItIs)
		if len(got) != 1 || got[0].aspect != "answer-2" {
			t.Errorf("%v", got)
		}
	})
}

func TestAnExcerptShowsWhereTwoTextsPart(t *testing.T) {
	for _, c := range []struct{ name, a, b, wantA, wantB string }{
		{"of one line, from its beginning", "abc", "abd", "abc", "abd"},
		{"of many lines, those that differ", "a\nb\nc\n", "a\nx\nc\n", `"b\n"`, `"x\n"`},
		{"of the same lines in another order, all", "a\nb\n", "b\na\n", `"a\nb\n"`, `"b\na\n"`},
		{"of a long line, from shortly before", long(100) + "1", long(100) + "2", quoted(long(100)[80:] + "1"), quoted(long(100)[80:] + "2")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := excerpts(c.a, c.b); a != c.wantA || b != c.wantB {
				t.Errorf("%s and %s, want %s and %s", a, b, c.wantA, c.wantB)
			}
		})
	}
}
