package guests

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// These tests run the guests under stock wazero and nothing of mayfly, so that
// a test elsewhere that fails can take its guest for granted.

const (
	memoryPages = 256 // 16 MiB
	plain       = "Content-Type: text/plain\r\n\r\n"
	octets      = "Content-Type: application/octet-stream\r\n\r\n"
)

// notRun are the guests stock wazero must not run, with the reason.
var notRun = map[string]string{
	"recurse-wide": "stock wazero cannot stop it",
	"big-table":    "stock wazero allocates the whole table",
}

// behaviour is one run of one guest and what comes of it.
type behaviour struct {
	guest   string
	args    []string
	query   string
	env     []string
	stdin   string
	stop    bool   // it never ends: end it after a moment
	out     string // stdout to the byte, if matches is empty
	matches string // stdout, as a regular expression
	err     string // stderr
	exit    uint32
	fails   string // in the error of compiling, instantiating or running
}

var behaviours = []behaviour{
	{guest: "hello", out: plain + "hello\n"},
	{guest: "echo", query: "a=b", stdin: "body\x00\n", env: []string{"REQUEST_METHOD=PUT", "SCRIPT_NAME=", "PATH_INFO=/p", "SERVER_PROTOCOL=HTTP/1.1", "CONTENT_TYPE=x/y", "CONTENT_LENGTH=6", "HTTP_X_ONE=1", "OTHER=2"},
		out: plain + "method: PUT\nscript: \npath: /p\nquery: a=b\nprotocol: HTTP/1.1\ntype: x/y\nlength: 6\nheader: HTTP_X_ONE=1\n\nbody\x00\n"},
	{guest: "echo-stream", stdin: "some body", query: "size=2", out: octets + "some body"},
	{guest: "bigbody-out", query: "n=1000", out: octets + pattern(1000)},
	{guest: "bigbody-out", query: "n=200000&length=1", out: "Content-Type: application/octet-stream\r\nContent-Length: 200000\r\n\r\n" + pattern(200000)},
	{guest: "bigbody-in", stdin: pattern(100000), out: plain + fmt.Sprintf("100000 %08x\n", crc32.ChecksumIEEE([]byte(pattern(100000))))},
	{guest: "bigbody-in", out: plain + "0 00000000\n"},
	{guest: "sleep", query: "ms=1", out: plain + "slept\n"},
	{guest: "sleep-cmd", args: []string{"1"}},
	{guest: "spin", stop: true, fails: "deadline"},
	{guest: "spin-host", stop: true, fails: "deadline"},
	{guest: "recurse", fails: "stack overflow"},
	{guest: "compute", query: "millions=1", out: plain + xorshift(1e6)},
	{guest: "simd", out: plain + simd()},
	{guest: "allocate", query: "step=4096", matches: `refused at \d+\n$`},
	{guest: "allocate", query: "step=64", out: plain + "refused at 16777216\n"},
	{guest: "allocate", query: "step=64&max=8192", out: plain + "reached 8388608\n"},
	{guest: "trap", fails: "unreachable\nwasm stack trace:\n\t.c()\n\t.b()\n\t.a()\n"},
	{guest: "trap-late", query: "n=3", out: plain + "xxx", fails: "unreachable"},
	{guest: "exit", args: []string{"42"}, query: "code=7", exit: 42},
	{guest: "exit", query: "code=7", exit: 7},
	{guest: "exit"},
	{guest: "exit-late", out: plain + "answered\n", exit: 1},
	{guest: "no-output"},
	{guest: "half-header", out: "Content-Type: text/pl"},
	{guest: "abort-midheader", out: "Content-Type: text/plain\r\nX-Half: ", fails: "unreachable"},
	{guest: "big-header", query: "n=4", out: "X-Big: xxxx\r\n" + plain + "sent\n"},
	{guest: "big-header", query: "fields=2", out: "X-Field-0: x\r\nX-Field-1: x\r\n" + plain + "sent\n"},
	{guest: "bad-header", out: "Not A Field: x\r\n" + plain + "sent\n"},
	{guest: "bad-header", query: "line=%3a+x", out: ": x\r\n" + plain + "sent\n"},
	{guest: "bad-status", out: "Status: teapot\r\n" + plain + "sent\n"},
	{guest: "bad-length", out: "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\nxxxxx"},
	{guest: "binary-output", out: "\x89\x00\xff\xfe" + binary()},
	{guest: "stderr", out: plain + "wrote to stderr\n", err: "first line\nsecond line\npartial last line"},
	{guest: "stderr-flood", query: "n=5000", out: plain + "wrote to stderr\n", err: strings.Repeat("x", 5000)},
	{guest: "read-file", query: "path=/ro/file", out: octets + "content"},
	{guest: "read-file", query: "path=/ro/none", matches: `^Status: 404 Not Found\r\n(?s).*errno 44: `},
	{guest: "write-file", query: "path=/rw/file&text=a%20b", out: plain + "wrote 3\n"},
	{guest: "write-file", query: "path=/ro/file", matches: `^Status: 403 Forbidden\r\n(?s).*errno \d+: .+\n$`},
	{guest: "list-dir", query: "path=/ro", out: plain + "dir/\nfile\nlink@\n"},
	{guest: "list-dir", query: "path=/none", matches: `^Status: 404 Not Found\r\n(?s).*errno \d+: .+\n$`},
	{guest: "counter", out: plain + "1\n"},
	{guest: "residue", out: plain + "clean\n"},
	{guest: "residue-table", out: plain + "clean\n"},
	{guest: "random", matches: `\n[0-9a-f]{32}\n$`},
	{guest: "clock", matches: `\nwall=\d{19} monotonic=\d+ later=\d+\n$`},
	{guest: "env", env: []string{"B=2", "A=1"}, query: "q", out: plain + "QUERY_STRING=q\nB=2\nA=1\n"},
	{guest: "args", args: []string{"one", ""}, out: plain + "args\none\n\n"},
	{guest: "redirect", out: "Location: /elsewhere?a=b\r\n\r\n"},
	{guest: "redirect", query: "to=http%3A%2F%2Fx%2F&status=302", out: "Location: http://x/\r\nStatus: 302\r\n" + plain + "moved\n"},
	{guest: "status", query: "code=204", out: "Status: 204\r\n\r\n"},
	{guest: "status", query: "code=418&reason=Teapot", out: "Status: 418 Teapot\r\n" + plain + "status 418\n"},
	{guest: "status", query: "code=304&body=1", out: "Status: 304\r\n" + plain + "status 304\n"},
	{guest: "slow-out", query: "ms=1&n=3", out: plain + "..."},
	{guest: "close-stdout", query: "ms=1", out: plain + "closed\n"},
	{guest: "hello-cmd", out: "hello from a command\n", err: "and from its stderr\n"},
	{guest: "cat", stdin: "what\ncomes", out: "what\ncomes"},
	{guest: "no-memory"},
	{guest: "empty", fails: "invalid magic number"},
	{guest: "not-wasm", fails: "invalid magic number"},
	{guest: "truncated", fails: "EOF"},
	{guest: "malformed", fails: "invalid function"},
	{guest: "component", fails: "invalid version header"},
	{guest: "unknown-import", fails: "module[env] not instantiated"},
	{guest: "big-memory", fails: "over limit of 256 pages"},
	{guest: "shared-memory", fails: "threads"},
	{guest: "no-start"}, // wazero asks for none
	{guest: "bad-start", fails: "expected 1 params"},
	{guest: "start-traps", fails: "unreachable"},
	{guest: "start-spins", stop: true, fails: "deadline"},
}

func TestEveryGuestBehavesUnderStockWazero(t *testing.T) {
	ran := map[string]bool{}
	for _, b := range behaviours {
		ran[b.guest] = true
		t.Run(strings.TrimSuffix(b.guest+" "+b.query, " "), func(t *testing.T) {
			stdout, stderr, err := run(t, b)
			if b.matches != "" {
				if !regexp.MustCompile(b.matches).MatchString(stdout) {
					t.Errorf("stdout: %.200q, want a match of %s", stdout, b.matches)
				}
			} else if stdout != b.out {
				t.Errorf("stdout: %.200q\nwant:   %.200q", stdout, b.out)
			}
			if stderr != b.err {
				t.Errorf("stderr: %.200q, want %.200q", stderr, b.err)
			}
			var exit *sys.ExitError
			switch {
			case b.fails != "":
				if err == nil || !strings.Contains(err.Error(), b.fails) {
					t.Errorf("error: %v, want one with %q", err, b.fails)
				}
			case errors.As(err, &exit):
				if exit.ExitCode() != b.exit {
					t.Errorf("exit code %d, want %d", exit.ExitCode(), b.exit)
				}
			case err != nil || b.exit != 0:
				t.Errorf("error: %v, want exit code %d", err, b.exit)
			}
		})
	}
	for _, name := range Names() {
		if _, left := notRun[name]; !ran[name] && !left {
			t.Errorf("nothing here runs %s", name)
		}
	}
}

func TestTheGuestsNotRunAreValidModules(t *testing.T) {
	for name := range notRun {
		r := wazero.NewRuntime(t.Context())
		if _, err := r.CompileModule(t.Context(), Wasm(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestResidueSeesWhatItLeftInAReusedMemory(t *testing.T) {
	// A guest that finds nothing proves nothing: run it twice in one instance.
	for name, want := range map[string]string{"residue": "D\n", "residue-table": "dirty\n"} {
		var stdout bytes.Buffer
		r := wazero.NewRuntime(t.Context())
		defer r.Close(t.Context())
		wasi_snapshot_preview1.MustInstantiate(t.Context(), r)
		m, err := r.InstantiateWithConfig(t.Context(), Wasm(name), wazero.NewModuleConfig().WithStdout(&stdout).WithStartFunctions())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			// The answer is built from data that the first run has overwritten.
			if data := Wasm(name); name == "residue" {
				at := bytes.Index(data, []byte("Content-Type"))
				m.Memory().Write(0, data[at:at+42])
			}
			if _, err := m.ExportedFunction("_start").Call(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := stdout.String(); got != plain+"clean\n"+plain+want {
			t.Errorf("%s run twice answers %q", name, got)
		}
	}
}

// run runs one guest in a runtime of its own.
func run(t *testing.T, b behaviour) (stdout, stderr string, err error) {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().
		WithMemoryLimitPages(memoryPages).WithCloseOnContextDone(b.stop))
	defer func() {
		if closed := r.Close(ctx); closed != nil {
			t.Error(closed)
		}
	}()
	wasi_snapshot_preview1.MustInstantiate(ctx, r)

	var out, errs bytes.Buffer
	c := wazero.NewModuleConfig().
		WithArgs(append([]string{b.guest}, b.args...)...).
		WithEnv("QUERY_STRING", b.query).
		WithStdin(strings.NewReader(b.stdin)).WithStdout(&out).WithStderr(&errs).
		WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime().WithSysNanosleep().
		WithFSConfig(files(t))
	for _, variable := range b.env {
		key, value, _ := strings.Cut(variable, "=")
		c = c.WithEnv(key, value)
	}
	if b.stop {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
	}
	_, err = r.InstantiateWithConfig(ctx, Wasm(b.guest), c)
	return out.String(), errs.String(), err
}

// files is a read-only /ro with a file, a directory and a link, and an empty
// /rw.
func files(t *testing.T) wazero.FSConfig {
	t.Helper()
	ro, rw := t.TempDir(), t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(ro, "file"), []byte("content"), 0o644),
		os.Mkdir(filepath.Join(ro, "dir"), 0o755),
		os.Symlink("file", filepath.Join(ro, "link")))
	if err != nil {
		t.Fatal(err)
	}
	return wazero.NewFSConfig().WithReadOnlyDirMount(ro, "/ro").WithDirMount(rw, "/rw")
}

// pattern is what bigbody-out sends.
func pattern(n int) string {
	period := make([]byte, 251)
	for i := range period {
		period[i] = byte(i)
	}
	return string(slices.Repeat(period, n/len(period)+1)[:n])
}

// binary is what binary-output sends after its first four bytes.
func binary() string {
	bytes := make([]byte, 1024)
	for i := range bytes {
		bytes[i] = byte(255 - i)
	}
	return string(bytes)
}

// simd is what simd answers.
func simd() string {
	sums := make([]byte, 64)
	for i := range sums {
		sums[i] = byte(20*i + 1)
	}
	return fmt.Sprintf("%x\n", sums)
}

// xorshift is what compute answers.
func xorshift(rounds int) string {
	x := uint64(88172645463325252)
	for range rounds {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return fmt.Sprintf("%016x\n", x)
}
