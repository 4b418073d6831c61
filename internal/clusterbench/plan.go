package clusterbench

import (
	"fmt"
	"strings"
	"time"
)

// Part is a question. Each has figures of its own, and no figure is of two.
type Part string

// The parts, by the letters that a command line has for them.
const (
	Starts   Part = "a"
	First    Part = "b"
	Wake     Part = "c"
	Requests Part = "d"
	Memory   Part = "e"
	Together Part = "f"
)

// Parts are all of them, and what they are called.
var Parts = []struct {
	Part  Part
	Title string
}{
	{Starts, "pod start"},
	{First, "first request of a new pod"},
	{Wake, "first request after deep idle"},
	{Requests, "requests, warm engine"},
	{Memory, "memory at rest"},
	{Together, "many pods woken at the same moment"},
}

// ParseParts reads letters: "a,b,d".
func ParseParts(s string) ([]Part, error) {
	var all []Part
	for word := range strings.SplitSeq(s, ",") {
		found := false
		for _, p := range Parts {
			found = found || string(p.Part) == strings.TrimSpace(word)
		}
		if !found {
			return nil, fmt.Errorf("there is no part %q, but a, b, c, d, e and f, as in --run a,b,d", word)
		}
		all = append(all, Part(strings.TrimSpace(word)))
	}
	return all, nil
}

// Options are a run's.
type Options struct {
	Kubeconfig   string // "": as kubectl finds it
	Context      string // "": the current one
	Node         string // where single pods run; "": one of the RuntimeClass's that is not the control plane's, if there is any
	RuntimeClass string
	Images       string // directory of the list of images
	Parts        []Part
	Quick        bool
	WakePods     int  // for Together
	Privileged   bool // a privileged pod may read the node's /proc
	Command      string
	Version      string // of this mayfly
}

// plan is how much is measured.
type plan struct {
	StartRounds int           `json:"start_rounds"`
	Wakes       int           `json:"wakes"`
	Rounds      int           `json:"request_rounds"`
	Turn        time.Duration `json:"turn_ns"`
	Warm        time.Duration `json:"warm_up_ns"`
	MemoryPods  int           `json:"memory_pods"`    // two at least: what only one process has mapped is its own, its program too
	Loaded      time.Duration `json:"engine_rest_ns"` // from the last request until the engine's memory is read
	Idle        time.Duration `json:"idle_timeout_ns"`
	Rest        time.Duration `json:"rest_ns"` // from the engine's end until memory is read: what runc's shims gave back, and kubelet saw, may be of half a minute ago
	WakeRounds  int           `json:"together_rounds"`
	WakePods    int           `json:"together_pods"`
	Guests      []string      `json:"guests,omitempty"` // nil: all there are
}

// quickPods is how many pods a quick run wakes at most.
const quickPods = 20

func (o Options) plan() plan {
	p := plan{
		StartRounds: 10, Wakes: 20, Rounds: 5, Turn: time.Second, Warm: time.Second,
		MemoryPods: 3, Loaded: 20 * time.Second, Idle: 30 * time.Second, Rest: 35 * time.Second,
		WakeRounds: 3, WakePods: o.WakePods,
	}
	if o.Quick {
		p = plan{
			StartRounds: 3, Wakes: 5, Rounds: 3, Turn: 300 * time.Millisecond, Warm: 300 * time.Millisecond,
			MemoryPods: 2, Loaded: 5 * time.Second, Idle: 15 * time.Second, Rest: 10 * time.Second,
			WakeRounds: 1, WakePods: min(o.WakePods, quickPods), Guests: []string{"c", "js"},
		}
	}
	return p
}
