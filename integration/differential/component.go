package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// component is one that is served, and what it is asked.
type component struct {
	name   string
	file   string
	groups []group
}

// committed are the components that are in the repository.
var committed = []struct {
	name, file string
	groups     []group
}{
	{"http", "internal/guests/components/http.wasm", table()},
	{"composed", "internal/guests/components/composed.wasm", []group{{name: "word", requests: composed}}},
	{"time-c", "examples/time/c-component/time.wasm", telling},
	{"time-rust", "examples/time/rust-component/time.wasm", telling},
}

var composed = []request{
	{name: "closed", head: "GET /closed"},
	{name: "greet", head: "GET /greet?ann+lee"},
	{name: "greet-one-name", head: "GET /greet?ann"},
	{name: "greet-utf-8", head: "GET /greet?\xc3\xa9"},
	{name: "greet-nobody", head: "GET /greet?"},
	{name: "shout", head: "GET /shout?bob"},
	{name: "sums", head: "GET /sums?1+2+-3+9223372036854775807"},
	{name: "sums-of-none", head: "GET /sums"},
	{name: "chars", head: "GET /chars"},
	{name: "twice", head: "GET /twice?a+b++c"},
	{name: "long", head: "GET /long?100000"},
	{name: "join", head: "GET /join"},
	{name: "counters", head: "GET /counters"},
	{name: "calls", head: "GET /calls?100"},
	{name: "environment", head: "HEAD /environment"},
	{name: "unknown", head: "POST /unknown", body: sized("x")},
	{name: "fail", head: "GET /fail", own: true},
}

// telling is what components that tell the time are asked.
var telling = []group{{name: "time", read: withoutNumbers, requests: []request{
	{name: "json", head: "GET /"},
	{name: "text", head: "GET /?format=text"},
	{name: "head", head: "HEAD /"},
	{name: "post", head: "POST /", body: chunked("hello")},
	{name: "elsewhere", head: "GET /no/such/path?a=b"},
	{name: "pipelined", raw: strings.Repeat("GET / HTTP/1.1\r\nHost: mayfly.test\r\n\r\n", 2), answers: 2},
}}}

// components returns those that want has a use for. One that is not committed and cannot be built is left out.
func components(want func(c *component) bool, progress *lab.Progress) ([]*component, error) {
	root, err := build.Root()
	if err != nil {
		return nil, err
	}
	var all []*component
	for _, c := range committed {
		if c := (&component{c.name, filepath.Join(root, c.file), c.groups}); want(c) {
			all = append(all, c)
		}
	}
	for _, name := range build.Names() {
		c := &component{name: name, groups: telling}
		if !want(c) {
			continue
		}
		var ok bool
		if c.file, ok = build.Find(name); !ok {
			err := progress.Do("build "+name+", once", func() (err error) {
				c.file, err = build.Component(name)
				return err
			})
			if err != nil {
				fmt.Fprintf(os.Stderr, "differential: without %s: %v\n", name, err)
				continue
			}
		}
		all = append(all, c)
	}
	return all, nil
}
