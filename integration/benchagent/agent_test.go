//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// started serves on a port of its own until the test ends.
func started(t *testing.T, serve func(context.Context, net.Listener) error) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// given takes an order to somebody and returns the answers.
func given(t *testing.T, port int, o order.Order) (all []order.Answer) {
	t.Helper()
	var in, out bytes.Buffer
	if err := order.Write(&in, o); err != nil {
		t.Fatal(err)
	}
	if err := take(t.Context(), fmt.Sprintf("127.0.0.1:%d", port), &in, &out); err != nil {
		t.Fatal(err)
	}
	for lines := order.NewLines(&out); ; {
		var a order.Answer
		if err := lines.Next(&a); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
}

func TestEachTurnOfAnOrderHasItsAnswer(t *testing.T) {
	asked, agent := started(t, serveStatic), started(t, serveOrders)
	turn := order.Turn{Port: asked, Want: `"unix":`, Clients: 1}
	kept, anew, brief, wrong, nobody := turn, turn, turn, turn, turn
	kept.Name, kept.For = "kept", 1
	anew.Name, anew.Anew = "anew", true
	brief.Name, brief.Brief, brief.Clients = "brief", true, 3
	wrong.Name, wrong.Want = "wrong", "nginx"
	nobody.Name, nobody.Port = "nobody", 1
	got := given(t, agent, order.Order{Turns: []order.Turn{kept, anew, brief, wrong, nobody}})
	for i, want := range []struct {
		name   string
		n, bad int
		why    string
		times  int
	}{{"kept", 1, 0, "", 1}, {"anew", 1, 0, "", 1}, {"brief", 3, 0, "", 0}, {"wrong", 0, 1, errAnswer.Error(), 0}, {"nobody", 0, 1, "refused", 0}} {
		if i >= len(got) {
			t.Fatalf("%d answers", len(got))
		}
		a := got[i]
		if a.Name != want.name || a.N != want.n || a.Failed != want.bad || len(a.Times) != want.times || !strings.Contains(a.Why, want.why) {
			t.Errorf("%+v, want %+v", a, want)
		}
	}
}

func TestAnOrderWithoutTurnsIsRefused(t *testing.T) {
	got := given(t, started(t, serveOrders), order.Order{})
	if len(got) != 1 || got[0].Failed != 1 || !strings.Contains(got[0].Why, "not 0") {
		t.Errorf("%+v", got)
	}
}

func TestManyDoATurnTogetherAndWhoIsNotThereIsCounted(t *testing.T) {
	asked, a, b, conductor := started(t, serveStatic), started(t, serveOrders), started(t, serveOrders), started(t, serveOrders)
	var pods []string
	for _, port := range []int{a, b, 1} {
		pods = append(pods, fmt.Sprintf("127.0.0.1:%d", port))
	}
	turn := order.Turn{Name: "all", Port: asked, Want: "unix", Clients: 1, Anew: true, Reach: true}
	got := given(t, conductor, order.Order{Turns: []order.Turn{turn}, Pods: pods})
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, bad := range []int{0, 0, 1} {
		if a := got[i]; a.Name != "all" || a.Pod != pods[i] || a.Failed != bad || a.N != 1-bad || a.Told <= 0 {
			t.Errorf("%+v", a)
		}
	}
}

func TestProcessesAreCountedByTheirName(t *testing.T) {
	proc := t.TempDir()
	for pid, line := range map[string]string{"1": "/.mayfly/init\x00", "7": "mayfly-engine\x00serve\x00", "8": "/.mayfly/mayfly-engine\x00", "9": "", "self": "mayfly-engines\x00"} {
		if err := os.MkdirAll(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "cmdline"), []byte(line), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := count(proc, order.Engine); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestPodsAreKnownByTheirCgroup(t *testing.T) {
	const uid = "9717b687-dc3d-4c2d-81a0-91151dd72bbd"
	for path, want := range map[string]bool{
		"/kubepods/besteffort/pod" + uid + "/abc": true,
		"/kubelet/kubepods/pod" + uid:             true,
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod9717b687_dc3d_4c2d_81a0_91151dd72bbd.slice/cri-containerd-abc.scope": true,
		"/../../pod" + uid + "/abc":        true,
		"/system.slice/containerd.service": false,
		"/kubepods/besteffort":             false,
		"/podman":                          false,
		"":                                 false,
	} {
		if got := podCgroup(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestBadUseIsSaid(t *testing.T) {
	for _, args := range [][]string{{}, {"what"}, {"main", "now"}} {
		var stderr bytes.Buffer
		if code := doMain(args, strings.NewReader(""), io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "main, order, static, node") {
			t.Errorf("%v: exit %d: %s", args, code, stderr.String())
		}
	}
}
