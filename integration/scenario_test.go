//go:build linux

package integration

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/guests/build"
)

// scenario is something that must work on every containerd.
type scenario struct {
	name string
	run  func(*env)
	kind kind
}

// runcLeaves is what runc's shim leaves where mayfly's must not: nobody removes
// the socket of a shim that was killed.
var runcLeaves = map[string]string{"a shim is killed": "+ file /run/containerd/s/"}

type kind int

const (
	ordinary kind = iota // only Linux containers: runc's shim must do the same, and is the control
	sidecar              // has sidecars, so only mayfly can do it
	large                // has one that takes seconds to compile: once, on the newest containerd, is enough
)

// once bounds one scenario.
var once = lab.Patience(90 * time.Second)

var scenarios = []scenario{
	{"a container runs, answers, logs and is removed", lifecycle, ordinary},
	{"a container's exit code is its program's", exitCodes, ordinary},
	{"a container is killed when it does not stop", killed, ordinary},
	{"commands run in a container", execs, ordinary},
	{"a container has statistics", stats, ordinary},
	{"a container's limits are updated", update, ordinary},
	{"a container that takes too much memory is killed and says so", outOfMemory, ordinary},
	{"a program that is not there is an error", noProgram, ordinary},
	{"containerd is killed and comes back under a running pod", containerdRestart, ordinary},
	{"a shim is killed", shimKilled, ordinary},
	{"ctr runs a container", ctrRun, ordinary},
	{"ctr runs a terminal", ctrTerminal, ordinary},
	{"ctr pauses and resumes a container", ctrPause, ordinary},

	{"a sidecar answers its main container from a fresh instance each time", answers, sidecar},
	{"a sidecar's life is a container's", sidecarLifecycle, sidecar},
	{"two sidecars and a main container share a pod", twoSidecars, sidecar},
	{"fifty sidecars share a pod, and end at once", fiftySidecars, sidecar},
	{"forty sidecars that share their processes end at once", fortyWithSharedProcesses, sidecar},
	{"sidecars of a pod start at once", startsAtOnce, sidecar},
	{"a hundred requests at once have a hundred instances", hundredRequests, sidecar},
	{"a guest that fails harms no other request", guestFails, sidecar},
	{"a guest gets no more memory than its container may have", memoryLimit, sidecar},
	{"a sidecar restarts and its main container does not notice", sidecarRestarts, sidecar},
	{"a main container restarts and its sidecar does not notice", mainRestarts, sidecar},
	{"an idle engine leaves and the next request wakes one", wakes, sidecar},
	{"a bare connection wakes nobody", bareConnection, sidecar},
	{"a stopped sidecar finishes what it has begun", drains, sidecar},
	{"a command's exit code is the container's", commands, sidecar},
	{"a sidecar on the host's network answers", hostNetwork, sidecar},
	{"a sidecar listens on a unix socket in a volume", unixListener, sidecar},
	{"two sidecars want one port", portOfSidecar, sidecar},
	{"a sidecar wants the port of a main container", portOfMain, sidecar},
	{"a sidecar runs under the strictest security context", restricted, sidecar},
	{"a sidecar reads and writes volumes as mounted", volumes, sidecar},
	{"a sidecar has statistics, processes and an exec", sidecarStats, sidecar},
	{"a sidecar is paused and resumed", sidecarPause, sidecar},
	{"ctr runs a sidecar without a pod", ctrSidecar, sidecar},
	{"an operator's options reach runc", runtimeOptions, sidecar},
	{"an engine is killed", engineKilled, sidecar},
	{"an engine that hangs is replaced", engineHangs, sidecar},
	{"a holder is killed", holderKilled, sidecar},
	{"the shim of a pod with a sidecar is killed", sidecarShimKilled, sidecar},
	{"containerd is killed and comes back under a sidecar", sidecarContainerdRestart, sidecar},
	{"sidecars end when the main containers of a Job's pod, or those that it names, are done", finishes, sidecar},
	{"a bad image or setting is an error that says what to do", badInputs, sidecar},
	{"a gibibyte of nothing is an error", hugeFiles, sidecar},

	{"components answer their main container as their tools made them", componentAnswers, sidecar},
	{"a component reads and writes piece by piece", componentStreams, sidecar},
	{"a component has trailers, its own and the client's", componentTrailers, sidecar},
	{"a component takes bodies larger than its memory", componentLargeBodies, sidecar},
	{"a component that fails harms no other request", componentFails, sidecar},
	{"a component's engine leaves, and the next request wakes one", componentWakes, sidecar},
	{"a component's exit code is the container's", componentCommands, sidecar},
	{"a component reads and writes volumes as mounted", componentFiles, sidecar},
	{"a component asks its own pod, and others where that is allowed", componentAsks, sidecar},
	{"a bad component is an error that says what to do", badComponents, sidecar},
	{"a component in JavaScript answers its main container", javascriptAnswers, large},

	{"a module is compiled once on the node", compiledOnce, sidecar},
	{"twelve pods start at once and their module is compiled once", compiledOnceByMany, sidecar},
	{"an entry of the cache that is broken is made again", brokenEntries, sidecar},
	{"the cache is bounded, and what is in use stays in it", cacheBound, sidecar},
	{"a cache that cannot be used costs time only", cacheUnusable, sidecar},
	{"the process that compiles has nothing but the module", compilerHasNothing, sidecar},
	{"the process that compiles is killed", compilerKilled, sidecar},
	{"a start is given up while the module is compiled", compilerCancelled, sidecar},
	{"a shim is killed while it compiles", shimKilledWhileCompiling, sidecar},
	{"an engine that wakes has the compiled code", wakesWithCode, sidecar},
	{"a component is compiled outside of its container's memory limit", compiledOutsideTheLimit, large},
}

// TestScenarios runs the list on every containerd.
func TestScenarios(t *testing.T) {
	if lacking := lab.Check(); lacking != nil {
		for _, s := range scenarios {
			t.Run(s.name, func(t *testing.T) { t.Skipf("this %v", lacking) })
		}
		return
	}
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	// Everything is built before anything runs: a machine that compiles is a
	// bad one to measure patience on.
	images, err := cache.Images()
	if err != nil {
		t.Fatal(err)
	}
	if javascript.Module, err = build.Component("time-javascript"); err != nil {
		t.Fatal(err)
	}
	versions, missing := cache.Versions()
	var installs []*lab.Install
	for _, v := range versions {
		i, err := cache.Containerd(v)
		if err != nil {
			t.Fatal(err)
		}
		installs = append(installs, i)
	}
	for _, i := range installs {
		t.Run("containerd "+i.Version, func(t *testing.T) {
			t.Parallel() // each has a node of its own
			onContainerd(t, cache, i, images)
		})
	}
	if missing != nil {
		t.Run("containerd 1.6", func(t *testing.T) { t.Skip(missing) })
	}
}

func onContainerd(t *testing.T, cache *lab.Cache, install *lab.Install, images []string) {
	bin, err := filepath.Abs("../bin")
	if err != nil {
		t.Fatal(err)
	}
	n, err := lab.Up(cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Down(); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	c, err := n.StartContainerd(ctx, install, bin)
	if err != nil {
		t.Fatal(err)
	}
	guests := n.Path("guests.tar")
	if err := lab.WriteGuests(guests); err != nil {
		t.Fatal(err)
	}
	archives := append(slices.Clip(images), guests)
	if install.Version == lab.Containerd24 {
		js, err := javascript.Pack(n.Dir, 8080)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, js)
	}
	for _, i := range archives {
		if err := c.Import(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	for _, runtime := range []string{"runc", "mayfly"} {
		t.Run(runtime, func(t *testing.T) {
			if runtime == "mayfly" {
				for _, b := range []string{"containerd-shim-mayfly-v1", "mayfly-init", "mayfly-engine"} {
					if _, err := os.Stat(filepath.Join(bin, b)); err != nil {
						t.Fatalf("%v; make host builds it", err)
					}
				}
			}
			for _, s := range scenarios {
				if runtime == "runc" && s.kind != ordinary || s.kind == large && install.Version != lab.Containerd24 {
					continue
				}
				t.Run(s.name, func(t *testing.T) { s.on(t, c, runtime) })
			}
		})
	}
}

// on runs the scenario once, and fails it when it leaves anything in the node.
func (s scenario) on(t *testing.T, c *lab.Containerd, runtime string) {
	ctx, cancel := context.WithTimeout(context.Background(), once)
	t.Cleanup(cancel)
	before, err := c.Node.Settled()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := c.Node.Leaks(before)
		if err != nil {
			t.Error(err)
		}
		if known := runcLeaves[s.name]; known != "" && runtime == "runc" {
			left = slices.DeleteFunc(left, func(l string) bool { return strings.HasPrefix(l, known) })
		}
		if len(left) > 0 {
			t.Errorf("something is left behind:\n%s", strings.Join(left, "\n"))
		}
		if t.Failed() {
			t.Logf("containerd's log ends:\n%s", logEnd(c.Log()))
		}
	})
	e := &env{T: t, ctx: ctx, containerd: c, node: c.Node, runtime: runtime}
	e.connect()
	s.run(e)
}

func logEnd(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(text), "\n")
	var some []string
	for _, l := range lines[max(0, len(lines)-80):] {
		if !strings.Contains(l, "level=info") {
			some = append(some, l)
		}
	}
	return strings.Join(some[max(0, len(some)-12):], "\n")
}
