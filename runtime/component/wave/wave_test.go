package wave

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/component/types"
	"github.com/mayfly-run/mayfly/runtime/component/wit"
)

// named parses types: the result of each is by name.
func named(t testing.TB) func(string) *types.Type {
	ps, err := wit.Parse(`package a:b;
		interface i {
			type bool-t = bool; type u8-t = u8; type s8-t = s8; type u16-t = u16; type s16-t = s16; type u32-t = u32; type s32-t = s32;
			type u64-t = u64; type s64-t = s64; type f32-t = f32; type f64-t = f64; type char-t = char; type string-t = string;
			type bytes = list<u8>; type numbers = list<u32>; type three = list<u8, 3>; type nested = list<list<string>>;
			type pair = tuple<u8, string>;
			record point { x: s32, y: s32 }
			record maybe { a: option<u8>, b: option<option<string>> }
			record keywords { ok: bool, %list: bytes }
			flags perms { read, write, err }
			enum side { south, west, ok, two-words }
			variant cases { forever, days(u32), none, err(string) }
			type option-u8 = option<u8>; type option-side = option<side>; type option-option = option<option<u8>>;
			type option-result = option<result<u8>>;
			type result-none = result; type result-u8 = result<u8>; type result-err = result<_, string>; type result-both = result<pair, side>;
			type result-option = result<option<u8>, u8>;
			resource r; type handle = own<r>; type handles = list<borrow<r>>;
		}`)
	if err != nil {
		t.Fatal(err)
	}
	i, _, _ := ps.Interface("a:b/i")
	return func(name string) *types.Type {
		e, ok := i.Export(name)
		if !ok || e.Type.Value == nil {
			t.Fatalf("no type %s", name)
		}
		return e.Type.Value
	}
}

func list(text string) []string { return strings.Split(text, ";;") }

// All texts of a row are the same value; the last is how it is written.
var same = []struct{ kind, texts string }{
	{"bool-t", "true"},
	{"bool-t", " false // said no;;false"},
	{"u8-t", "255"},
	{"u8-t", "-0;;0"},
	{"s8-t", "-128"},
	{"u16-t", "65535"},
	{"s16-t", "-32768"},
	{"u32-t", "4294967295"},
	{"s32-t", "-2147483648"},
	{"u64-t", "18446744073709551615"},
	{"s64-t", "-9223372036854775808"},
	{"f32-t", "3.140;;3.14"},
	{"f32-t", "1.0;;1e0;;1"},
	{"f64-t", "602.2e21;;6.022E23;;6.022e+23"},
	{"f64-t", "-0"},
	{"f64-t", "nan"},
	{"f64-t", "-inf"},
	{"f32-t", "inf"},
	{"char-t", `'\u{61}';;'a'`},
	{"char-t", `'\"';;'"'`},
	{"char-t", `'☃'`},
	{"char-t", `'\''`},
	{"char-t", `'\u{0}'`},
	{"char-t", `'\\'`},
	{"string-t", `"abc\u{9}123\n\u{1b}";;"abc\t123\n\u{1b}"`},
	{"string-t", `"'\'";;"''"`},
	{"string-t", `"\"\\"`},
	{"string-t", `""`},
	{"string-t", "\"\"\"\n  One\n    two \"\"\\\"\n  \n  \\u{1F30A}\n  \"\"\";;\"One\\n  two \\\"\\\"\\\"\\n\\n🌊\""},
	{"string-t", "\"\"\"\r\nOne\r\n\"\"\";;\"One\""},
	{"string-t", "\"\"\"\n\"\"\";;\"\""},
	{"bytes", "[ 1,2, 3 , ];;[1, 2, 3]"},
	{"bytes", "[ ];;[]"},
	{"numbers", "[70000]"},
	{"three", "[1, 2, 3]"},
	{"nested", `[[], ["a", "b"]]`},
	{"pair", `(1, "a",);;(1, "a")`},
	{"point", "{y: 2, x: 1};;{%x: 1, y: 2,};;{x: 1, y: 2}"},
	{"maybe", "{ : };;{a: none};;{b: none, a: none};;{:}"},
	{"maybe", `{a: 1, b: some(some("x"))};;{b: some("x"), a: some(1)};;{a: some(1), b: some(some("x"))}`},
	{"keywords", "{%ok: true, %list: []};;{list: [], ok: true};;{ok: true, list: []}"},
	{"perms", "{ };;{}"},
	{"perms", "{err, %read,};;{read, err}"},
	{"side", "%south;;south"},
	{"side", "%ok"},
	{"side", "two-words"},
	{"cases", "forever"},
	{"cases", "days ( 30 );;days(30)"},
	{"cases", "%none"},
	{"cases", `%err("x")`},
	{"option-u8", "1;;some(1)"},
	{"option-u8", "none"},
	{"option-side", "%ok;;some(%ok)"},
	{"option-option", "some(1);;some(some(1))"},
	{"option-option", "some(none)"},
	{"option-result", "some(1);;some(ok(1))"},
	{"result-none", "ok"},
	{"result-none", "err"},
	{"result-u8", "1;;ok(1)"},
	{"result-u8", "err"},
	{"result-err", `err("x")`},
	{"result-both", `(1, "a");;ok((1, "a"))`},
	{"result-both", "err(west)"},
	{"result-option", "ok(1);;ok(some(1))"},
	{"result-option", "ok(none)"},
}

func TestTextsOfTheSameValue(t *testing.T) {
	kind := named(t)
	for _, c := range same {
		texts := list(c.texts)
		want := texts[len(texts)-1]
		for _, text := range texts {
			v, err := Parse(kind(c.kind), text)
			if err != nil {
				t.Errorf("%s: %s: %v", c.kind, text, err)
			} else if got := Format(kind(c.kind), v); got != want {
				t.Errorf("%s: %s is %s, want %s", c.kind, text, got, want)
			}
		}
	}
}

func TestTextThatIsNoValueOfAType(t *testing.T) {
	kind := named(t)
	for _, c := range []struct{ kind, text, want string }{
		{"bool-t", "", "1:1: expected true or false, found the end"},
		{"bool-t", "yes", `1:1: expected true or false, found "yes"`},
		{"bool-t", "true false", `1:6: expected the end, found "false"`},
		{"bool-t", "\n\xff", "2:1: text is not UTF-8"},
		{"u8-t", "256", "1:1: 256 does not fit u8, which is from 0 to 255"},
		{"u8-t", "-1", "1:1: -1 does not fit u8, which is from 0 to 255"},
		{"u8-t", "01", `1:2: expected the end, found "1"`},
		{"u8-t", "0x1", `1:2: expected the end, found "x1"`},
		{"u8-t", "1.5", `1:1: expected u8, found "1.5"`},
		{"u8-t", "+1", `1:1: expected u8, found "+"`},
		{"s8-t", "128", "128 does not fit s8, which is from -128 to 127"},
		{"s64-t", strings.Repeat("9", 99), strings.Repeat("9", 40) + "… does not fit s64, which is from -9223372036854775808"},
		{"u64-t", "18446744073709551616", "does not fit u64, which is from 0 to 18446744073709551615"},
		{"f32-t", "1e39", "1e39 does not fit f32"},
		{"f64-t", "infinity", `expected f64, found "infinity"`},
		{"f64-t", "-nan", `expected f64, found "-"`},
		{"f64-t", ".5", `expected f64, found "."`},
		{"f64-t", "1.", `1:2: expected the end, found "."`},
		{"char-t", "''", "expected a character"},
		{"char-t", "'ab'", "1:3: expected ' after the character"},
		{"char-t", "a", "expected a character in ' '"},
		{"char-t", `'\x'`, `1:2: expected one of \t \n`},
		{"char-t", `'\u{d800}'`, `\u{d800} is not a character`},
		{"char-t", `'\u{110000}'`, `\u{110000} is not a character`},
		{"char-t", `'\u{+61}'`, `is not a character`},
		{"string-t", `"abc`, "1:5: expected a quotation mark, found the end"},
		{"string-t", "\"a\nb\"", `1:3: a line that ends within quotation marks: write \n`},
		{"string-t", "\"\"\"\n  a\n b\n  \"\"\"", `3:1: expected the indentation`},
		{"string-t", "\"\"\"\n  a\"\"\"", `2:1: expected a line that only has """`},
		{"string-t", "\"\"\"\n  a", `1:1: expected """ at the end of the string`},
		{"bytes", `"ab"`, `expected list<u8>, found "\""`},
		{"bytes", "[1 2]", `1:4: expected , or ], found "2"`},
		{"bytes", "[1, 256]", "1:5: 256 does not fit u8"},
		{"bytes", "[,]", `1:2: expected u8, found ","`},
		{"three", "[1, 2]", "1:1: 2 elements of a list of 3"},
		{"pair", "(1)", "1:1: 1 elements of a tuple of 2"},
		{"pair", `(1, "a", 2)`, `1:10: expected ), found "2"`},
		{"point", "{x: 1}", "1:1: no field y: expected record { x: s32, y: s32 }"},
		{"point", "{x: 1, x: 2}", "1:8: x occurs twice"},
		{"point", "{z: 1}", `1:2: expected a field (x, y), found "z"`},
		{"point", "{:}", "no field x"},
		{"maybe", "{ }", "1:3: expected a field; a record without any is {:}"},
		{"point", "{x = 1}", `1:4: expected :, found "="`},
		{"perms", "{read, read}", "1:8: read occurs twice"},
		{"perms", "{exec}", `expected a flag (read, write, err), found "exec"`},
		{"side", "north", `expected south, west, ok, two-words, found "north"`},
		{"side", "ok", "ok is a keyword: for the case of that name, write %ok"},
		{"cases", "days", `expected (u32) after days, found the end`},
		{"cases", "days(1, 2)", `1:7: expected ), found ","`},
		{"cases", "forever(1)", `1:8: expected the end, found "("`},
		{"option-u8", `"a"`, `expected u8, found "\""`},
		{"option-option", "1", `expected some(…) or none, found "1"`},
		{"result-err", "1", `expected ok or err, found "1"`},
		{"result-option", "1", `expected ok or err, found "1"`},
		{"result-u8", "ok", "expected (u8) after ok, found the end"},
		{"handle", "1", "a resource is expected, and handles have no text"},
		{"handles", "[1]", "1:2: a resource is expected, and handles have no text"},
		{"u8-t", strings.Repeat(" ", maxText) + "1", "1048577 bytes of values: more than 1048576"},
	} {
		_, err := Parse(kind(c.kind), c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.40q: %v, want %s", c.kind, c.text, err, c.want)
		}
	}
}

func TestValuesAreWhatTheyShouldBe(t *testing.T) {
	kind := named(t)
	parse := func(name, text string) abi.Value {
		v, err := Parse(kind(name), text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := parse("s8-t", "-1"); v.S8() != -1 {
		t.Error(v.S8())
	}
	if b := parse("bytes", "[1, 255]").Bytes(); string(b) != "\x01\xff" {
		t.Errorf("%q", b)
	}
	if v := parse("three", "[7, 8, 9]").Field(2); v.U8() != 9 {
		t.Error(v.U8())
	}
	if v := parse("perms", "{err, read}"); v.Flags() != 0b101 {
		t.Errorf("%b", v.Flags())
	}
	if v := parse("cases", "days(30)"); v.Case() != 1 || v.Payload().U32() != 30 {
		t.Error(v.Case())
	}
	if v, ok := parse("result-both", "err(west)").OK(); ok || v.Case() != 1 {
		t.Error(v, ok)
	}
	if v := parse("f64-t", "nan"); math.Float64bits(v.F64()) != canonicalNaN64 {
		t.Errorf("%x", math.Float64bits(v.F64()))
	}
	if v := parse("f32-t", "nan"); math.Float32bits(v.F32()) != canonicalNaN32 {
		t.Errorf("%x", math.Float32bits(v.F32()))
	}
}

func TestManyOptionsLeftOutAreCounted(t *testing.T) {
	fields := make([]types.Field, 1000)
	for i := range fields {
		fields[i] = types.Field{Name: "f", Type: &types.Type{Kind: types.Option, Elem: types.Primitives[types.Bool]}}
	}
	rows := &types.Type{Kind: types.List, Elem: &types.Type{Kind: types.Record, Fields: fields}}
	_, err := Parse(rows, "["+strings.Repeat("{:},", 2000)+"]")
	if err == nil || !strings.Contains(err.Error(), "more than 1048576 values") {
		t.Error(err)
	}
}

func TestDepthIsBounded(t *testing.T) {
	deep := types.Primitives[types.Bool]
	for range maxDepth + 10 {
		deep = &types.Type{Kind: types.List, Elem: deep}
	}
	_, err := Parse(deep, strings.Repeat("[", maxDepth+10))
	if err == nil || !strings.Contains(err.Error(), "deeper than 256") {
		t.Error(err)
	}
}

func TestHandlesAreWrittenAsTheirType(t *testing.T) {
	kind := named(t)
	if got := Format(kind("handle"), abi.GuestResource(7)); got != "r" {
		t.Error(got)
	}
	if got := Format(kind("handles"), abi.List(abi.GuestResource(7))); got != "[borrow<r>]" {
		t.Error(got)
	}
}

func TestLargeValuesAreCut(t *testing.T) {
	text := Format(&types.Type{Kind: types.List, Elem: types.Primitives[types.U8]}, abi.Bytes(make([]byte, 8<<20)))
	if len(text) != maxFormatted+len("…") || !strings.HasSuffix(text, "…") {
		t.Error(len(text))
	}
}

func TestCalls(t *testing.T) {
	unknown := errors.New("unknown")
	u32 := types.Primitives[types.U32]
	optional := &types.Type{Kind: types.Option, Elem: u32}
	lookup := func(name string) (*types.Func, error) {
		switch name {
		case "add":
			return &types.Func{Params: []types.Field{{Name: "a", Type: u32}, {Name: "b", Type: u32}}, Result: u32}, nil
		case "opt":
			return &types.Func{Params: []types.Field{{Name: "a", Type: u32}, {Name: "b", Type: optional}, {Name: "c", Type: optional}}}, nil
		case "wasi:cli/run@0.2.0#run":
			return &types.Func{}, nil
		}
		return nil, unknown
	}
	for text, want := range map[string]string{
		"add(1, 2)":                 "add 1 2",
		" add ( 1 ,\n2, ) // three": "add 1 2",
		"opt(1)":                    "opt 1 none none",
		"opt(1, 2)":                 "opt 1 some(2) none",
		"wasi:cli/run@0.2.0#run()":  "wasi:cli/run@0.2.0#run",
		"add":                       "expected a call: a function's name, and its arguments in parentheses, as in add(1, 2)",
		"(1)":                       "expected a call: a function's name, and its arguments in parentheses, as in add(1, 2)",
		"sub(1)":                    "unknown",
		"add(1)":                    "1:6: no argument b (add is func(a: u32, b: u32) -> u32)",
		"add(1, 2, 3)":              `1:11: expected ), found "3" (add is func(a: u32, b: u32) -> u32)`,
		"add(1, x)":                 `1:8: expected u32, found "x" (add is func(a: u32, b: u32) -> u32)`,
		"add(1, 2) -> 3":            `1:11: expected the end, found "-" (add is func(a: u32, b: u32) -> u32)`,
	} {
		got, args, err := ParseCall(text, lookup)
		if err != nil {
			got = err.Error()
		}
		if f, _ := lookup(got); f != nil {
			for i, arg := range args {
				got += " " + Format(f.Params[i].Type, arg)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// What is parsed and written is parsed again to what is written the same.
func FuzzParse(f *testing.F) {
	kind := named(f)
	for _, c := range same {
		for _, text := range list(c.texts) {
			f.Add(c.kind, text)
		}
	}
	kinds := map[string]*types.Type{}
	for _, c := range same {
		kinds[c.kind] = kind(c.kind)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		k := kinds[name]
		if k == nil {
			return
		}
		v, err := Parse(k, text)
		if err != nil {
			return
		}
		once := Format(k, v)
		again, err := Parse(k, once)
		if err != nil {
			t.Fatalf("%s: %q was written as %q: %v", name, text, once, err)
		}
		if twice := Format(k, again); twice != once {
			t.Fatalf("%s: %q was written as %q, and that as %q", name, text, once, twice)
		}
	})
}
