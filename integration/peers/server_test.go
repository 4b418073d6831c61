package peers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/leak"
)

// serving is set where this test's own binary is to be a server.
const serving = "MAYFLY_PEERS_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serving) != "" {
		l, err := net.Listen("tcp", os.Args[1])
		if err == nil {
			err = http.Serve(l, http.NotFoundHandler())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	leak.Main(m)
}

func testServer(t *testing.T) *Server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Server{
		Name: "test", Env: []string{serving + "=yes"},
		Command: func(_ string, port int, _ string) []string { return []string{self, address(port)} },
	}
}

func TestAServerThatDoesNotStartIsAnErrorThatNamesItsLog(t *testing.T) {
	s := &Server{Name: "none", Command: func(string, int, string) []string { return []string{"false"} }}
	logs := t.TempDir()
	_, err := s.Start(t.Context(), Job{Component: "c", Logs: logs})
	if err == nil || !strings.Contains(err.Error(), logs) {
		t.Errorf("error %v", err)
	}
}

func TestAServerThatIsWaitedForNoMoreIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &Server{Name: "silent", Command: func(string, int, string) []string { return []string{"sleep", "60"} }}
	if _, err := s.Start(ctx, Job{Component: "c", Logs: t.TempDir()}); err == nil {
		t.Error("no error")
	}
}

func TestAServersDirectoryIsCleanedAndRemoved(t *testing.T) {
	s := testServer(t)
	var cleaned string
	s.Clean = func(dir string) { cleaned = dir }
	p, err := s.Start(t.Context(), Job{Component: "c", Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	if cleaned == "" {
		t.Error("it was not cleaned")
	}
	if _, err := os.Stat(cleaned); !os.IsNotExist(err) {
		t.Errorf("%s is there: %v", cleaned, err)
	}
}

func TestAGuestsVariablesAreFlagsOrAnEnvironment(t *testing.T) {
	g := Guest{Env: [][2]string{{"A", "b c"}, {"EMPTY", ""}}}
	if got := g.flags(); !slices.Equal(got, []string{"--env", "A=b c", "--env", "EMPTY="}) {
		t.Errorf("flags %q", got)
	}
	if got := g.environment(); !slices.Equal(got, []string{"A=b c", "EMPTY="}) {
		t.Errorf("environment %q", got)
	}
}
