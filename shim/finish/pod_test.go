//go:build linux

package finish

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// world is what a pod sees of the rest of the shim.
type world struct {
	*Pod
	facts   Facts
	trouble int // questions that fail first

	mu    sync.Mutex
	asked int
	ends  []string
}

func newWorld(t *testing.T, rule config.ExitWithMain, facts Facts) *world {
	w := &world{facts: facts}
	w.Pod = NewPod(t.Context(), rule, Outside{Ask: w.ask, End: w.end})
	return w
}

func (w *world) ask(context.Context) (Facts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked++; w.asked <= w.trouble {
		return Facts{}, errors.New("nobody answers")
	}
	return w.facts, nil
}

func (w *world) end(_ context.Context, id string, failed bool) {
	code := uint32(0)
	if failed {
		id += "!"
		code = 1
	}
	w.mu.Lock()
	w.ends = append(w.ends, id)
	w.mu.Unlock()
	w.Ended(strings.TrimSuffix(id, "!"), code)
}

// ended are the sidecars that were.
func (w *world) ended() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(slices.Values(w.ends))
}

// play runs steps, a word each: "+side" a server starts, "?side" one is made and has not started, "+main" a Linux container starts, "-main" it
// ends with 0, "!main" with 1, "x side" kubelet stops it; a number waits as many seconds. Containers have their name and a count for their id.
func (w *world) play(t *testing.T, steps string) {
	t.Helper()
	count := map[string]int{}
	id := func(name string) string {
		return name + strings.Repeat("'", count[name])
	}
	for step := range strings.FieldsSeq(steps) {
		name := step[1:]
		switch step[0] {
		case '+', '?':
			if _, again := count[name]; again {
				count[name]++
			} else {
				count[name] = 0
			}
			switch {
			case !strings.HasPrefix(name, "side") && !strings.HasPrefix(name, "command"):
				w.Created(id(name), name, Linux)
			case step[0] == '?':
				w.Created(id(name), name, Starting)
			default:
				w.Created(id(name), name, Starting)
				kind := Server
				if strings.HasPrefix(name, "command") {
					kind = Command
				}
				w.Started(id(name), kind)
			}
		case '>':
			w.Started(id(name), Server)
		case '-':
			w.Ended(id(name), 0)
		case '!':
			w.Ended(id(name), 1)
		case 'x':
			w.Stopped(id(name))
		default:
			d, err := time.ParseDuration(step)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		}
		synctest.Wait()
	}
}

var (
	inJobs = config.ExitWithMain{}
	always = config.ExitWithMain{Rule: config.ExitAlways}
)

func named(names ...string) config.ExitWithMain {
	return config.ExitWithMain{Rule: config.ExitAfterNamed, Names: names}
}

func TestWhenSidecarsEnd(t *testing.T) {
	job := func(containers ...string) Facts { return Facts{Job: true, Containers: containers} }
	for _, tc := range []struct {
		name  string
		rule  config.ExitWithMain
		facts Facts
		steps string
		want  string // those ended; with ! where a failure is to be seen
		asked int
	}{
		{"a Job's main container is done", inJobs, job("side", "main"), "+side +main 10s -main 4s", "side", 1},
		{"it may come back yet", inJobs, job("side", "main"), "+side +main -main 2s", "", 0},
		{"it failed", inJobs, job("side", "main"), "+side +main !main 7s", "side!", 1},
		{"it failed and came back soon", inJobs, job("side", "main"), "+side +main !main 5s +main 10s", "", 1},
		{"it came back once, and is done", inJobs, job("side", "main"), "+side +main !main 1s +main 10s -main 4s", "side", 1},
		{"it came back once: it will again, later", inJobs, job("side", "main"), "+side +main !main 1s +main !main 5m", "", 1},
		{"it came back once, and never again", inJobs, job("side", "main"), "+side +main !main 1s +main !main 7m", "side!", 1},
		{"several sidecars", inJobs, job("side", "main", "side2"), "+side +main +side2 -main 4s", "side side2", 1},
		{"several main containers", inJobs, job("side", "main", "other"), "+side +main +other -main 10s", "", 1},
		{"several main containers, all done", inJobs, job("side", "main", "other"), "+side +main +other -main 10s -other 4s", "side", 1},
		{"several main containers, one failed", inJobs, job("side", "main", "other"), "+side +main +other !main 10s -other 7s", "side!", 1},
		{"one is yet to be made", inJobs, job("side", "main", "other"), "+side +main -main 1h", "", 1},
		{"one came late", inJobs, job("side", "main", "other"), "+side +main -main 1h +other 1m -other 4s", "side", 1},
		{"an init container, then nothing for long", inJobs, job("side", "main"), "+side +init -init 1h", "", 1},
		{"an init container before the main one", inJobs, job("side", "main"), "+side +init -init 1h +main 1h -main 4s", "side", 1},
		{"the main container was quicker than the sidecar", inJobs, job("main", "side"), "+main -main 1m +side 4s", "side", 1},
		{"the sidecar is not ready yet", inJobs, job("main", "side"), "+main ?side -main 10s", "", 0},
		{"the sidecar was not ready yet", inJobs, job("main", "side"), "+main ?side -main 10s >side 4s", "side", 1},
		{"a sidecar that kubelet starts again", inJobs, job("side", "main"), "+side +main -main 4s +side 4s", "side side'", 1},
		{"a sidecar that kubelet stops", inJobs, job("side", "main"), "+side +main xside -main 1h", "", 0},
		{"a sidecar that ended itself", inJobs, job("side", "main"), "+side +main !side -main 1h", "", 0},
		{"a command's end is work done", inJobs, job("side", "command"), "+side +command -command 4s", "side", 1},
		{"a command is waited for", inJobs, job("side", "command", "main"), "+side +command +main -main 1h", "", 1},
		{"a debug container beside", inJobs, job("side", "main"), "+side +main +debug -main 4s", "side", 1},
		{"no Job", inJobs, Facts{Containers: []string{"side", "main"}}, "+side +main -main 1h", "", 1},
		{"no Job, and it crashes all the time", inJobs, Facts{}, "+side +main !main 10s +main !main 10s +main !main 1h", "", 1},
		{"no Job, and the pod asks for it", always, Facts{Containers: []string{"side", "main"}}, "+side +main -main 4s", "side", 1},
		{"it always comes back", always, Facts{Containers: []string{"side", "main"}}, "+side +main -main 1s +main -main 5m", "", 1},
		{"the one that is named is done", named("main"), Facts{}, "+side +main +other -main 4s", "side", 0},
		{"another than the one that is named", named("main"), Facts{}, "+side +main +other -other 1h", "", 0},
		{"a name that the pod does not have", named("mian"), Facts{}, "+side +main -main 1h", "", 0},
		{"two are named", named("main", "other"), Facts{}, "+side +main +other -main 1h -other 4s", "side", 0},
		{"a sidecar is named", named("side2"), Facts{}, "+side +side2 !side2 7s", "side!", 0},
		{"nobody tells: the main container is done", inJobs, job(), "+side +main -main 4s", "side", 1},
		{"nobody tells: one of two", inJobs, job(), "+side +main +other -main 1h", "", 1},
		{"nobody tells: what ended before the sidecar was there is an init container", inJobs, job(), "+init -init +side 1h", "", 1},
		{"nobody tells: what runs as the sidecar comes is none", inJobs, job(), "+main ?side >side -main 4s", "side", 1},
		{"only sidecars", inJobs, job("side", "side2"), "+side +side2 !side2 1h", "", 0},
		{"no sidecar", inJobs, job("main"), "+main -main 1h", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tc.rule, tc.facts)
				w.play(t, tc.steps)
				w.Close()
				if got := strings.Join(w.ended(), " "); got != tc.want || w.asked != tc.asked {
					t.Errorf("ended %q with %d questions, want %q with %d", got, w.asked, tc.want, tc.asked)
				}
			})
		})
	}
}

func TestFactsAreAskedForUntilTheyAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, inJobs, Facts{Job: true, Containers: []string{"main", "side"}})
		w.trouble = 4
		w.play(t, "+main +side -main 4s")
		if early := w.ended(); len(early) != 0 {
			t.Errorf("ended %q without knowing", early)
		}
		w.play(t, "1h")
		w.Close()
		if len(w.ends) != 1 || w.asked != 5 {
			t.Errorf("ended %q after %d questions", w.ends, w.asked)
		}
	})
}

func TestAMainContainerThatComesWhileFactsAreAskedForCancelsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, inJobs, Facts{Job: true})
		w.Pod.outside.Ask = func(context.Context) (Facts, error) {
			w.Created("other", "other", Linux)
			return w.facts, nil
		}
		w.play(t, "+main +side -main 1h")
		w.Close()
		if len(w.ends) != 0 {
			t.Errorf("ended %q", w.ends)
		}
	})
}

func TestCloseBreaksOffWhatIsUnderWay(t *testing.T) {
	for name, outside := range map[string]Outside{
		"a linger": {Ask: func(context.Context) (Facts, error) { return Facts{}, nil }},
		"a question": {Ask: func(ctx context.Context) (Facts, error) {
			<-ctx.Done()
			return Facts{}, ctx.Err()
		}},
		"an end": {
			Ask: func(context.Context) (Facts, error) { return Facts{Job: true}, nil },
			End: func(ctx context.Context, _ string, _ bool) { <-ctx.Done() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{Pod: NewPod(t.Context(), inJobs, outside)}
				w.play(t, "+main +side -main")
				if name != "a linger" {
					w.play(t, "4s")
				}
				w.Close()
				w.Created("late", "late", Linux)
				w.Ended("late", 0)
			})
		})
	}
}

func TestAPodWhoseSidecarsAreLeftToKubelet(t *testing.T) {
	p := NewPod(t.Context(), config.ExitWithMain{Rule: config.ExitNever}, Outside{})
	if p != nil {
		t.Fatal("there is something to do for it")
	}
	p.Created("a", "a", Linux)
	p.Started("a", Server)
	p.Stopped("a")
	p.Ended("a", 0)
	p.Close()
}
