package cli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestEnvironment(t *testing.T) {
	g := &Guest{Args: []string{"app", "--now"}, Env: []string{"A=1", "B=x=y", "C=", "D"}, Cwd: "/srv"}
	env := g.environment().List()
	for i, want := range [][2]string{{"A", "1"}, {"B", "x=y"}, {"C", ""}, {"D", ""}} {
		if k, v := env[i].Field(0).String(), env[i].Field(1).String(); k != want[0] || v != want[1] {
			t.Errorf("%s=%s, want %s=%s", k, v, want[0], want[1])
		}
	}
	if args := g.arguments().List(); len(args) != 2 || args[1].String() != "--now" {
		t.Errorf("arguments: %v", args)
	}
	if cwd, ok := g.initialCwd().Some(); !ok || cwd.String() != "/srv" {
		t.Errorf("directory: %v", cwd)
	}
	if _, ok := new(Guest).initialCwd().Some(); ok {
		t.Error("a guest without a directory has one")
	}
}

func TestExit(t *testing.T) {
	for _, c := range []struct {
		what string
		f    component.HostFunc
		arg  component.Value
		want uint32
	}{
		{"ok", exit, abi.OK(component.Value{}), 0},
		{"err", exit, abi.Err(component.Value{}), 1},
		{"a code", exitWithCode, abi.U8(42), 42},
		{"code 0", exitWithCode, abi.U8(0), 0},
	} {
		var e *instance.ExitError
		if _, err := c.f(nil, []component.Value{c.arg}); !errors.As(err, &e) || e.Code != c.want {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestStreams(t *testing.T) {
	functions := wasiio.Package().Interfaces["streams"]
	call := func(f string, args ...component.Value) component.Value {
		v, err := functions.Funcs[f](nil, args)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var stdout bytes.Buffer
	g := &Guest{Stdin: wasiio.FromBytes([]byte("abc")), Stdout: wasiio.ToWriter(&stdout)}

	t.Run("handles of standard input share its position, and dropping one leaves it open", func(t *testing.T) {
		for _, want := range []string{"a", "b", "c"} {
			h := g.stdin()
			v, _ := call("[method]input-stream.read", h, abi.U64(1)).OK()
			if string(v.Bytes()) != want {
				t.Errorf("read %q, want %q", v.Bytes(), want)
			}
			functions.Drop["input-stream"](h.Resource())
		}
	})
	t.Run("so do those of standard output", func(t *testing.T) {
		for _, s := range []string{"1", "2"} {
			h := g.stdout()
			if _, ok := call("[method]output-stream.write", h, abi.Bytes([]byte(s))).OK(); !ok {
				t.Error("not written")
			}
			functions.Drop["output-stream"](h.Resource())
		}
		if stdout.String() != "12" {
			t.Errorf("wrote %q", stdout.String())
		}
	})
	t.Run("without streams input is at its end and output is discarded", func(t *testing.T) {
		g := &Guest{}
		if _, ok := call("[method]input-stream.read", g.stdin(), abi.U64(1)).OK(); ok {
			t.Error("read something")
		}
		if _, ok := call("[method]output-stream.write", g.stderr(), abi.Bytes([]byte("x"))).OK(); !ok {
			t.Error("not written")
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("they are closed with the guest", func(t *testing.T) {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestStreamsOfASnapshotAreThoseOfTheInstance(t *testing.T) {
	write := wasiio.Package().Interfaces["streams"].Funcs["[method]output-stream.write"]
	before := &Guest{} // whose output is discarded
	handles := []component.Value{before.stdout(), before.stderr()}
	for _, h := range handles {
		if _, err := write(nil, []component.Value{h, abi.Bytes([]byte("begins"))}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		var stdout, stderr bytes.Buffer
		g := &Guest{Stdout: wasiio.ToWriter(&stdout), Stderr: wasiio.ToWriter(&stderr)}
		for n, h := range handles {
			again, ok := h.Resource().(component.Renewable).Renew(g)
			if !ok {
				t.Fatal("a stream that has been written to cannot be had again")
			}
			if _, err := write(nil, []component.Value{again, abi.Bytes([]byte{byte('1' + n)})}); err != nil {
				t.Fatal(err)
			}
		}
		if stdout.String() != "1" || stderr.String() != "2" {
			t.Errorf("%q, %q", &stdout, &stderr)
		}
	}
}

func TestTerminals(t *testing.T) {
	g := &Guest{StdinTerminal: true}
	if v, ok := g.terminalStdin().Some(); !ok || v.Resource() == nil {
		t.Error("standard input is no terminal")
	}
	if _, ok := g.terminalStdout().Some(); ok {
		t.Error("standard output is a terminal")
	}
	if _, ok := g.terminalStderr().Some(); ok {
		t.Error("standard error is a terminal")
	}
}

func TestThePackageFitsItsDeclarations(t *testing.T) {
	if _, err := component.NewHost(wasiio.Package(), Package()); err != nil {
		t.Error(err)
	}
}
