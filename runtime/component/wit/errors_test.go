package wit

import (
	"fmt"
	"strings"
	"testing"
)

func TestTextThatIsNotWIT(t *testing.T) {
	inside := func(s string) string { return "package a:b;\ninterface i {\n  " + s + "\n}" }
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i, i+1)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                          {"", `WIT source 1: 1:1: expected package, found the end`},
		"no package":                       {"interface i {}", `WIT source 1: 1:1: expected package, found "interface"`},
		"a package without a version":      {"package a:b@;", `WIT package a:b: 1:13: expected a version such as 0.2.0, found ";"`},
		"half a version":                   {"package a:b@1.0;", `WIT package a:b: 1:13: expected a version such as 0.2.0, found "1.0"`},
		"a nested package":                 {"package a:b; package c:d {}", "give each package a source of its own"},
		"a control character":              {"package a:b;\n\x1b", `WIT package a:b: 2:1: unexpected character '\x1b'`},
		"bytes that are not UTF-8":         {"package a:b; \xff", "1:14: text is not UTF-8"},
		"a comment without an end":         {"package a:b; /* /* */", "a comment that does not end"},
		"a string without an end":          {`package a:b; world w { "\" }`, "a string that does not end"},
		"a world without an end":           {"package a:b; world w { {} ", "expected } at the end of the world, found the end"},
		"too long a source":                {strings.Repeat(" ", maxSource+1), "1048577 bytes: more than 1048576"},
		"too long a name":                  {inside(strings.Repeat("a", 300) + ": func();"), "a name of 300 bytes: more than 256"},
		"a name of two cases":              {inside("aB: func();"), `3:3: "aB" is not a name`},
		"a name with an empty word":        {inside("a--b: func();"), `"a--b" is not a name`},
		"a name that is a keyword":         {inside("list: func();"), `3:3: list is a keyword, expected a type, a function or }: a name that is a keyword begins with %`},
		"an unknown gate":                  {inside("@soon(version = 1.0.0) f: func();"), `3:4: expected since, unstable or deprecated, found "soon"`},
		"a gate with the other field":      {inside("@since(feature = x) f: func();"), `expected version, found "feature"`},
		"a function without func":          {inside("f: u32;"), `3:6: expected func, found "u32"`},
		"an async function":                {inside("f: async func();"), "3:6: async functions: not supported"},
		"a stream":                         {inside("f: func() -> stream<u8>;"), "3:16: stream: not supported"},
		"a future":                         {inside("type t = future;"), "future: not supported"},
		"a map":                            {inside("type t = map<u8, u8>;"), "map: not supported"},
		"an unknown type":                  {inside("f: func(a: nowhere);"), "3:14: no type nowhere in interface i"},
		"a keyword as a type":              {inside("f: func(a: world);"), `expected a type, found "world"`},
		"an option of nothing":             {inside("type t = option<>;"), "3:12: option of 0 types"},
		"an option of two":                 {inside("type t = option<u8, u8>;"), "option of 2 types"},
		"a result of three":                {inside("type t = result<u8, u8, u8>;"), "result of 3 types"},
		"a result of nothing, spelt out":   {inside("type t = result<_>;"), "result<_>: where neither has a type, write result"},
		"a list of length zero":            {inside("type t = list<u8, 0>;"), `expected a length, found "0"`},
		"a list whose length is no number": {inside("type t = list<u8, u8>;"), `expected a length, found "u8"`},
		"a borrow of a value":              {inside("type r = u8; f: func(a: borrow<r>);"), "borrow of r, which is not a resource"},
		"an own of a primitive":            {inside("f: func(a: own<u8>);"), "own of u8, which is not a resource"},
		"a borrow that is returned":        {inside("resource r; f: func() -> option<borrow<r>>;"), "function f returns a borrow"},
		"a borrow in a record, returned":   {inside("resource r; record x { r: borrow<r> } f: func() -> x;"), "function f returns a borrow"},
		"a constructor of something else":  {inside("resource r { constructor() -> u8; }"), "a constructor of r that does not return it"},
		"two functions of one name":        {inside("f: func(); F: func();"), "3:14: F is declared twice"},
		"a type and a function":            {inside("f: func(); type f = u8;"), "f is declared twice"},
		"a method and a static function":   {inside("resource r { f: func(); f: static func(); }"), "is declared twice"},
		"a method named as its resource":   {inside("resource r { r: func(); }"), "[method]r.r is declared twice"},
		"a use named as an interface":      {"package a:b; use c:d/e as i; interface i {}", "1:40: i is declared twice"},
		"two constructors":                 {inside("resource r { constructor(); constructor(); }"), "[constructor]r is declared twice"},
		"two parameters of one name":       {inside("f: func(a: u8, a: u8);"), "3:18: a is declared twice"},
		"two labels of one name":           {inside("enum e { a, A }"), "A is declared twice"},
		"two interfaces of one name":       {"package a:b; interface i {} interface i {}", "1:39: i is declared twice"},
		"an empty record":                  {inside("record r {}"), "record r is empty"},
		"an empty enum":                    {inside("enum e {}"), "enum e is empty"},
		"too many flags":                   {inside("flags f {" + many(33, "a%d,/*%d*/") + "}"), "flags f has 33 labels: more than 32"},
		"a type made of itself":            {inside("record r { r: option<r> }"), "type r is made of itself"},
		"two types made of each other":     {inside("type a = option<b>; type b = list<a>;"), "is made of itself"},
		"a use of what is not there":       {inside("use j.{t};"), "3:7: no interface a:b/j"},
		"a use of another version":         {inside("use a:b/i@1.0.0.{t};"), "no interface a:b/i@1.0.0: the package is there as a:b"},
		"a use of a type that is not there": {
			inside("use j.{t};") + " interface j {}", "3:10: interface j has no type t"},
		"interfaces that use each other": {
			inside("use j.{t};") + " interface j { use i.{u}; }", "interface i and this one use each other"},
		"deep types":         {inside("type t = " + strings.Repeat("list<", 100) + "u8" + strings.Repeat(">", 100) + ";"), "deeper than 64"},
		"deep types by name": {inside("type t0 = u8;" + many(100, "type t%[2]d = option<t%[1]d>;")), "deeper than 64"},
		"types that grow":    {inside("type t0 = u8;" + many(40, "type t%[2]d = tuple<t%[1]d, t%[1]d>;")), "a type of more than 65536 others"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestErrorsNameThePackageTheyAreIn(t *testing.T) {
	_, err := Parse("package a:a; interface i { use b:b/j.{t}; }", "package b:b@1.0.0;", "package b:b; interface j { type t = u; }")
	if want := "WIT package b:b: 1:37: no type u in interface j"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Parse("package a:a;", "package a:a;")
	if want := "WIT package a:a: 1:1: declared by two sources"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
