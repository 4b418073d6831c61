package wasi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
	"github.com/mayfly-run/mayfly/runtime/wasi/sockets"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestMain(m *testing.M) { leak.Main(m) }

// load loads a guest of internal/guests/components.
func load(t *testing.T, name string) *component.Component {
	t.Helper()
	host, err := component.NewHost(Packages()...)
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile("../../internal/guests/components/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := component.Read(wasm)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r, err := instance.NewRuntime(ctx, instance.Limits{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(ctx) })
	c, err := component.Load(ctx, r, d, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(ctx) })
	return c
}

// run runs a command to its end.
func run(ctx context.Context, c *component.Component, g *Guest) (err error) {
	f, err := c.Function("wasi:cli/run@0.2.0", "run")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	i, err := c.Instantiate(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.Close()) }()
	v, err := i.Call(ctx, f)
	if _, ok := v.OK(); err == nil && !ok {
		return errors.New("the command failed")
	}
	return err
}

func TestCommand(t *testing.T) {
	c := load(t, "command.wasm")
	policy, err := outbound.Parse("")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what       string
		args       []string
		stdin      string
		wantStdout string
		wantStderr string
		wantExit   uint32
	}{
		{what: "says hello", wantStdout: "hello\n", wantStderr: "on stderr\n"},
		{what: "sees its arguments", args: []string{"args", "a", "", "b c"}, wantStdout: "a\n\nb c\n"},
		{what: "sees its environment", args: []string{"env"}, wantStdout: "A=1\nB=x=y\n"},
		{what: "copies", args: []string{"cat"}, stdin: strings.Repeat("mayfly\n", 30_000), wantStdout: strings.Repeat("mayfly\n", 30_000)},
		{what: "reads lines", args: []string{"lines"}, stdin: "a\nb", wantStdout: "1 a\n2 b\n"},
		{what: "fails, without a code that its toolchain could tell", args: []string{"exit", "42"}, wantExit: 1},
		{what: "sleeps", args: []string{"sleep", "1"}},
		{what: "has no files", args: []string{"read", "/etc/passwd"}, wantStderr: "failed to find a pre-opened file descriptor through which \"/etc/passwd\" could be opened\n", wantExit: 1},
	} {
		t.Run(test.what, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			g := &Guest{Network: sockets.NewGuest(policy)}
			g.Command.Args = append([]string{"command"}, test.args...)
			g.Command.Env = []string{"A=1", "B=x=y"}
			g.Command.Stdin = wasiio.FromReader(strings.NewReader(test.stdin), nil)
			g.Command.Stdout, g.Command.Stderr = wasiio.ToWriter(&stdout), wasiio.ToWriter(&stderr)
			err := run(t.Context(), c, g)
			var exit *instance.ExitError
			if errors.As(err, &exit) != (test.wantExit != 0) || exit != nil && exit.Code != test.wantExit || exit == nil && err != nil {
				t.Errorf("it ended with %v", err)
			}
			if stdout.String() != test.wantStdout || stderr.String() != test.wantStderr {
				t.Errorf("it wrote %.200q and %.200q", stdout.String(), stderr.String())
			}
		})
	}
}

func TestAGuestThatWaitsIsStopped(t *testing.T) {
	c := load(t, "command.wasm")
	cause := errors.New("out of time")
	for what, args := range map[string][]string{"for a clock": {"sleep", "3600000"}, "for input": {"cat"}} {
		t.Run(what, func(t *testing.T) {
			r, w := io.Pipe()
			waits := make(chan struct{})
			g := &Guest{}
			g.Command.Args = append([]string{"command"}, args...)
			g.Command.Stdin = wasiio.FromReader(&told{r, waits}, func() { _ = w.Close() })
			ctx, cancel := context.WithCancelCause(t.Context())
			if what == "for a clock" {
				close(waits)
			}
			go func() {
				<-waits
				cancel(cause)
			}()
			err := run(ctx, c, g)
			var stop *instance.StopError
			if !errors.As(err, &stop) || !errors.Is(err, cause) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// told tells when it is read.
type told struct {
	io.Reader
	read chan struct{}
}

func (r *told) Read(b []byte) (int, error) {
	close(r.read)
	return r.Reader.Read(b)
}
