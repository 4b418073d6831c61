package tool

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/control"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// bench is a tool with what is around it.
type bench struct {
	*tool
	out, errs bytes.Buffer
}

func newBench(t *testing.T, status *control.Status, env ...string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{}
	b.tool = &tool{
		env: env, socket: filepath.Join(dir, "s"), proc: dir, cgroup: dir,
		stdin: strings.NewReader("from standard input"), stdout: &b.out, stderr: &b.errs,
	}
	if status == nil {
		return b
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: b.socket, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write(control.AppendStatus(control.Append(nil, control.Message{Kind: control.State}), status))
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return b
}

func (b *bench) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(b.proc, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestProbeSaysWhetherTheSidecarIsReady(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status *control.Status
		code   int
		text   string
	}{
		{"it is", &control.Status{Doing: control.Asleep, Ready: true, Sentence: "it sleeps"}, 0, "it sleeps\n"},
		{"it is not", &control.Status{Doing: control.Failing, Sentence: "it fails"}, 1, "it fails\n"},
		{"nobody knows", nil, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, tc.status)
			if code := b.run(t.Context(), []string{"probe"}); code != tc.code || b.out.String() != tc.text {
				t.Errorf("got %d, %q; %s", code, &b.out, &b.errs)
			}
		})
	}
}

func TestAMistakeInTheCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"prob"}, {"probe", "now"}, {"top", "-o", "yaml"}, {"top", "all"}, {"invoke"}, {"invoke", "path"}, {"invoke", "/", "/"},
		{"invoke", "/", "-H", "none"}, {"invoke", "/", "-X", "NO METHOD"}, {"invoke", "/", "-z"},
	} {
		b := newBench(t, nil)
		if code := b.run(t.Context(), args); code != exitUsage || !strings.HasPrefix(b.errs.String(), "mayfly: ") {
			t.Errorf("%q: got %d, %q", args, code, &b.errs)
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"help"}, {"top", "-h"}, {"invoke", "--help"}} {
		b := newBench(t, nil)
		if code := b.run(t.Context(), args); code != 0 || b.out.String() != help {
			t.Errorf("%q: got %d, %q", args, code, &b.out)
		}
	}
}

func TestTopShowsWhatIsKnown(t *testing.T) {
	figures := control.Figures{Requests: 12, InFlight: 3, Queued: 1, Instances: 2, Limit: 34, Probes: 5}
	status := &control.Status{
		Doing: control.Serving, Ready: true, Sentence: "it serves\x1b[2J", Holder: 7, Engine: 8, Engines: 3, Wakes: 2, Probes: 60,
		Figures: []byte(figures.String()),
	}
	const unlimited = "9223372036854771712\n"
	for _, tc := range []struct {
		name   string
		files  map[string]string
		memory memory
		cpu    float64
	}{
		{"with cgroup v1", map[string]string{
			"7/smaps_rollup": "Rss: 2000 kB\nPrivate_Clean: 4 kB\nPrivate_Dirty: 700 kB\n", "8/status": "VmRSS: 9000 kB\nRssAnon:\t 5120 kB\n",
			"memory/memory.usage_in_bytes": "20971520\n", "memory/memory.stat": "inactive_file 5\ntotal_inactive_file 10485760\n",
			"memory/memory.limit_in_bytes": unlimited, "cpuacct/cpuacct.usage": "1500000000\n",
		}, memory{Holder: 700 << 10, Engine: 5 << 20, Container: 10 << 20}, 1.5},
		{"with cgroup v2", map[string]string{
			"memory.current": "20971520\n", "memory.stat": "inactive_file 10485760\n", "memory.max": "67108864\n", "cpu.stat": "usage_usec 2500000\n",
		}, memory{Container: 10 << 20, Limit: 64 << 20}, 2.5},
		{"without a limit", map[string]string{"memory.current": "1048576\n", "memory.max": "max\n"}, memory{Container: 1 << 20}, 0},
		{"of nothing", nil, memory{}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, status)
			for name, text := range tc.files {
				b.write(t, name, text)
			}
			if code := b.run(t.Context(), []string{"top", "-o", "json"}); code != 0 {
				t.Fatalf("got %d: %s", code, &b.errs)
			}
			var got picture
			if err := json.Unmarshal(b.out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			want := picture{
				Doing: "serving", Ready: true, Sentence: "it serves [2J", Engines: 3, Wakes: 2, Probes: 60, Last: figures, Memory: tc.memory, CPU: tc.cpu,
			}
			if got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			b.out.Reset()
			if code := b.run(t.Context(), []string{"top"}); code != 0 {
				t.Fatalf("got %d: %s", code, &b.errs)
			}
			for _, part := range []string{"it serves", "3 so far, 2 woken", "12 done, 3 in flight, 1 of them queued", "60 answered asleep", "2 alive, 34 at most"} {
				if !strings.Contains(b.out.String(), part) {
					t.Errorf("%q is not in %q", part, &b.out)
				}
			}
		})
	}
}

// listen serves h where the sidecar would, and returns the variable that says where.
func listen(t *testing.T, network string, h http.HandlerFunc) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
	if network == "unix" {
		return "MAYFLY_LISTEN=unix:" + address
	}
	return "MAYFLY_LISTEN=:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) // all addresses: asked on the loopback
}

func TestInvokeAsksTheSidecar(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Server-Timing", "run;dur=1")
		w.Header().Set("X-Evil", "a\tb\u009b")
		if r.URL.Path == "/moved" {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(302)
		}
		if r.URL.Path == "/bad" {
			w.WriteHeader(418)
		}
		io.WriteString(w, strings.Join([]string{r.Method, r.RequestURI, r.Host, r.Header.Get("X-Own"), string(body)}, " "))
	}
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"tcp", "unix"} {
		env := listen(t, network, echo)
		for _, tc := range []struct {
			name string
			args []string
			code int
			out  string // of the answer
			errs string // beside it
		}{
			{"a path", []string{"/a?b=c"}, 0, "GET /a?b=c ", "HTTP/1.1 200 OK in "},
			{"how long it took", []string{"/"}, 0, "GET / ", "\nServer-Timing: run;dur=1\n"},
			{"a body", []string{"/", "-d", "hello"}, 0, " hello", "200 OK"},
			{"a body makes a POST", []string{"-d", "hello", "/"}, 0, "POST / ", "200 OK"},
			{"a body by another method", []string{"/", "-X", "PUT", "-d", "hello"}, 0, "PUT / ", "200 OK"},
			{"a body that is read", []string{"/", "-d", "@" + file}, 0, " from a file", "200 OK"},
			{"standard input", []string{"/", "-d", "@-"}, 0, " from standard input", "200 OK"},
			{"fields", []string{"/", "-H", "X-Own: mine", "-H", "Host: other"}, 0, " other mine ", "200 OK"},
			{"the answer's fields", []string{"/", "-v"}, 0, "GET / ", "X-Evil: a\tb\n"},
			{"a redirect is an answer", []string{"/moved"}, 0, "GET /moved ", "302 Found"},
			{"a bad answer", []string{"/bad"}, 1, "GET /bad ", "418 I'm a teapot"},
		} {
			t.Run(network+", "+tc.name, func(t *testing.T) {
				b := newBench(t, nil, env)
				if code := b.run(t.Context(), append([]string{"invoke"}, tc.args...)); code != tc.code {
					t.Errorf("got %d: %s", code, &b.errs)
				}
				if !strings.Contains(b.out.String(), tc.out) || !strings.Contains(b.errs.String(), tc.errs) {
					t.Errorf("got %q beside %q", &b.out, &b.errs)
				}
			})
		}
	}
}

func TestInvokeSaysWhyThereIsNoAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status *control.Status
		want   string
	}{
		{"a command", &control.Status{Doing: control.Running, Ready: true}, "is a command"},
		{"engines fail", &control.Status{Doing: control.Failing, Sentence: "it fails"}, "no answer from /nowhere: it fails"},
		{"nobody is there", nil, "no answer from /nowhere: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, tc.status, "MAYFLY_LISTEN=unix:/nowhere")
			if code := b.run(t.Context(), []string{"invoke", "/"}); code != 1 || !strings.Contains(b.errs.String(), tc.want) {
				t.Errorf("got %d, %q", code, &b.errs)
			}
		})
	}
}

func TestAnAnswerThatBreaksOffIsBad(t *testing.T) {
	env := listen(t, "tcp", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	b := newBench(t, nil, env)
	if code := b.run(t.Context(), []string{"invoke", "/"}); code != 1 || b.out.String() != "half" || !strings.Contains(b.errs.String(), "broke off") {
		t.Errorf("got %d, %q beside %q", code, &b.out, &b.errs)
	}
}
