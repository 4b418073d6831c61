package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/integration/peers"
)

// brittle is set where this test's own binary is to be a server that ends with the request for /end, before it has answered it.
const brittle = "MAYFLY_DIFFERENTIAL_TEST_SERVER"

func brittleServer(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			os.Exit(0)
		}
		fmt.Fprintln(w, "hello")
	}))
}

func testServer(t *testing.T) *peers.Server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &peers.Server{
		Name: "brittle", Version: "brittle 1", Env: []string{brittle + "=yes"},
		Command: func(_ string, port int, _ string) []string { return []string{self, fmt.Sprint("127.0.0.1:", port)} },
	}
}

func TestAServerThatEndsIsStartedAnew(t *testing.T) {
	l := &lane{server: testServer(t), component: &component{name: "c"}, logs: t.TempDir()}
	defer l.close()
	for _, c := range []struct {
		path string
		want string
	}{{"/", "200"}, {"/end", "the connection was closed"}, {"/", "200"}} {
		got, err := l.ask(t.Context(), &question{request: request{head: "GET " + c.path}})
		if err != nil {
			t.Fatal(err)
		}
		if s := summary(got[0]); !strings.HasPrefix(s, c.want) {
			t.Errorf("%s: %s, want %s", c.path, s, c.want)
		}
	}
}

func TestAKnownDifferenceThatIsNoneFailsARun(t *testing.T) {
	o, err := startOrigin()
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	ours, theirs := testServer(t), testServer(t)
	theirs.Name = "other"
	known, err := parseKnown("It was once.\n  other c/g/hello status\n  other c/g/not-asked status\n")
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{mayfly: ours, peers: []*peers.Server{theirs}, known: known, origin: o, logs: t.TempDir(), progress: lab.NewProgress(os.Stderr)}
	c := &component{name: "c", groups: []group{{name: "g", requests: []request{{name: "hello", head: "GET /"}, {name: "end", head: "GET /end"}}}}}
	found, err := r.run(t.Context(), []*component{c})
	if err != nil {
		t.Fatal(err)
	}
	if got := found.servers[0]; got.Requests != 2 || got.Same != 2 || len(found.stale) != 1 || found.good() {
		t.Errorf("%+v, stale %v", got, found.stale)
	}
}

func TestADifferenceThatNobodyKnowsFailsARun(t *testing.T) {
	r := newReport(&peers.Server{Name: "mayfly"}, []*peers.Server{{Name: "other"}})
	w := which{"other", "c/g/hello", "body"}
	r.add(&peers.Server{Name: "other"}, w.request, []verdict{{which: w, reason: "known"}})
	if !r.good() {
		t.Error("a known difference fails it")
	}
	r.add(&peers.Server{Name: "other"}, w.request, []verdict{{which: w}})
	if got := r.servers[0]; r.good() || got.Known != 1 || got.Different != 1 {
		t.Errorf("%+v", got)
	}
}
