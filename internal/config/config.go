// Package config reads what a pod author says to mayfly: about a sidecar in MAYFLY_* variables, about a pod in mayfly.run/ annotations.
//
// The shim reads it for the listener, the engine and the command line for the rest: all three agree because all three
// use this package. It knows no defaults that depend on the image or the machine; those are zero values here.
package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TriggerKind is what starts an instance.
type TriggerKind string

// The triggers mayfly runs.
const (
	TriggerHTTP    TriggerKind = "http"
	TriggerCommand TriggerKind = "command"
)

// What MAYFLY_SNAPSHOT may be.
const (
	SnapshotInit = "init"
	SnapshotNone = "none"
)

// Never is the idle timeout of an engine that stays.
const Never = time.Duration(-1)

// Defaults of the variables.
const (
	DefaultPort         = 80
	DefaultTimeout      = 30 * time.Second
	DefaultMemory       = 64 << 20
	DefaultIdleTimeout  = 5 * time.Minute
	DefaultDrainTimeout = 25 * time.Second // kubelet kills after 30 s by default: stay below it
	DefaultMaxBody      = 1 << 30
)

// Bounds of the variables. A value outside is refused by name rather than clamped in silence.
const (
	maxTimeout   = 24 * time.Hour
	minMemory    = 64 << 10 // one Wasm page
	maxMemory    = 4 << 30  // what a 32-bit memory can address
	maxInstances = 1_000_000
	maxBody      = 1 << 50
)

// Sidecar is the configuration of one sidecar.
type Sidecar struct {
	// Trigger is empty when MAYFLY_TRIGGER is unset: what the image holds decides.
	Trigger TriggerKind
	// Listen are the addresses of the http trigger, at least one.
	Listen []Address
	// Timeout bounds one request.
	Timeout time.Duration
	// MaxInstances bounds instances alive at once; 0 leaves it to the memory limit.
	MaxInstances int
	// Memory bounds the linear memory of one instance, in bytes.
	Memory uint64
	// IdleTimeout is how long an engine without requests stays; Never, or 0 for not at all.
	IdleTimeout time.Duration
	// DrainTimeout bounds how long requests in flight may finish after SIGTERM.
	DrainTimeout time.Duration
	// MaxBody bounds a request's body, in bytes.
	MaxBody int64
	// AllowedOutbound is where guests may connect to, as package outbound reads it; empty: the pod's loopback.
	AllowedOutbound string
	// Snapshot has instances begin where one is that has been initialised, rather than initialise each.
	Snapshot bool
	// Probe is who answers kubelet's probes.
	Probe Probe
	// ServerTiming adds the Server-Timing header to answers.
	ServerTiming bool
	// JSONLog writes log lines as JSON objects.
	JSONLog bool
	// Debug logs each request.
	Debug bool
}

// variables maps each name to how it is read. Prefix and form are the same in images, pods and on the laptop.
var variables = []struct {
	name    string
	example string
	read    func(*Sidecar, string) error
}{
	{"MAYFLY_TRIGGER", "http or command", readTrigger},
	{"MAYFLY_TIMEOUT", "30s or 1m30s", func(s *Sidecar, v string) error {
		return readDuration(&s.Timeout, v, time.Millisecond)
	}},
	{"MAYFLY_DRAIN_TIMEOUT", "25s", func(s *Sidecar, v string) error {
		return readDuration(&s.DrainTimeout, v, 0)
	}},
	{"MAYFLY_IDLE_TIMEOUT", "5m, 0 or never", func(s *Sidecar, v string) error {
		if v == "never" {
			s.IdleTimeout = Never
			return nil
		}
		return readDuration(&s.IdleTimeout, v, 0)
	}},
	{"MAYFLY_MAX_INSTANCES", "100", func(s *Sidecar, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxInstances {
			return fmt.Errorf("want a whole number from 1 to %d", maxInstances)
		}
		s.MaxInstances = n
		return nil
	}},
	{"MAYFLY_MEMORY", "64Mi", func(s *Sidecar, v string) error {
		n, err := ParseBytes(v)
		if err != nil {
			return err
		}
		if n < minMemory || n > maxMemory {
			return fmt.Errorf("want a size from 64Ki to 4Gi")
		}
		s.Memory = n
		return nil
	}},
	{"MAYFLY_MAX_BODY", "1Gi", func(s *Sidecar, v string) error {
		n, err := ParseBytes(v)
		if err != nil {
			return err
		}
		if n > maxBody {
			return fmt.Errorf("want a size up to 1Pi")
		}
		s.MaxBody = int64(n)
		return nil
	}},
	{"MAYFLY_ALLOWED_OUTBOUND", "https://api.example.com or *://*.svc.cluster.local:8080", func(s *Sidecar, v string) error {
		s.AllowedOutbound = v // engine and command line read it: the shim has no use for it
		return nil
	}},
	{"MAYFLY_SNAPSHOT", "init or none", func(s *Sidecar, v string) error {
		if v != SnapshotInit && v != SnapshotNone {
			return fmt.Errorf("want %s or %s", SnapshotInit, SnapshotNone)
		}
		s.Snapshot = v == SnapshotInit
		return nil
	}},
	{"MAYFLY_PROBE", "mayfly or guest", func(s *Sidecar, v string) error {
		return readProbe(&s.Probe, v)
	}},
	{"MAYFLY_SERVER_TIMING", "1 or 0", func(s *Sidecar, v string) error {
		return readBool(&s.ServerTiming, v)
	}},
	{"MAYFLY_LOG", "text or json", func(s *Sidecar, v string) error {
		if v != "text" && v != "json" {
			return fmt.Errorf("want text or json")
		}
		s.JSONLog = v == "json"
		return nil
	}},
	{"MAYFLY_LOG_LEVEL", "info or debug", func(s *Sidecar, v string) error {
		if v != "info" && v != "debug" {
			return fmt.Errorf("want info or debug")
		}
		s.Debug = v == "debug"
		return nil
	}},
}

// Parse reads the configuration from env, whose entries are KEY=VALUE; of several with one key the last counts.
// An error wraps [ErrVariable] and names the variable, its value and what would be right.
//
// Unknown MAYFLY_* variables are ignored: an image made for a newer mayfly still runs.
func Parse(env []string) (Sidecar, error) {
	s := Sidecar{
		Timeout:      DefaultTimeout,
		Memory:       DefaultMemory,
		IdleTimeout:  DefaultIdleTimeout,
		DrainTimeout: DefaultDrainTimeout,
		MaxBody:      DefaultMaxBody,
		Probe:        ProbeMayfly,
	}
	values := lookup(env)
	for _, v := range variables {
		value, set := values[v.name]
		if !set || value == "" {
			continue
		}
		if err := v.read(&s, value); err != nil {
			return Sidecar{}, &settingError{kind: ErrVariable, name: v.name, value: value, example: v.example, err: err}
		}
	}
	listen, err := parseListen(values["MAYFLY_LISTEN"], values["PORT"])
	if err != nil {
		return Sidecar{}, err
	}
	s.Listen = listen
	return s, nil
}

// Unknown returns a sentence for each MAYFLY_* variable in env that Parse ignores, with the name that was probably meant.
func Unknown(env []string) []string {
	var sentences []string
	for name, value := range lookup(env) {
		if !strings.HasPrefix(name, "MAYFLY_") || slices.Contains(names(), name) || isServiceLink(name, value) {
			continue
		}
		sentence := fmt.Sprintf("%.80s: this mayfly knows no such setting", name)
		meant := closest(name, names())
		if name == "MAYFLY_PORT" {
			meant = "PORT"
		}
		if meant != "" {
			sentence += "; did you mean " + meant + "?"
		}
		sentences = append(sentences, sentence)
	}
	slices.Sort(sentences)
	return sentences
}

// names are all variables that Parse reads, less PORT.
func names() []string {
	all := []string{"MAYFLY_LISTEN"}
	for _, v := range variables {
		all = append(all, v.name)
	}
	return all
}

// GuestEnv returns env as a guest may see it: without the variables that speak to mayfly, but with those that tell of Services whose names
// begin as they do.
func GuestEnv(env []string) []string {
	guest := make([]string, 0, len(env))
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, "MAYFLY_") || isServiceLink(name, value) {
			guest = append(guest, e)
		}
	}
	return guest
}

// isServiceLink tells whether a variable is one of those by which Kubernetes tells every container of its namespace's Services. One that is
// called mayfly, or mayfly-demo, makes names that look like settings (Kubernetes, "Discovering services").
func isServiceLink(name, value string) bool {
	if strings.HasSuffix(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") {
		return true
	}
	if strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://") {
		return true
	}
	_, port, found := strings.Cut(name, "_PORT_")
	return found && port != "" && '0' <= port[0] && port[0] <= '9'
}

func lookup(env []string) map[string]string {
	values := make(map[string]string, len(env))
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok {
			values[k] = v
		}
	}
	return values
}

func readTrigger(s *Sidecar, v string) error {
	kind, _, _ := strings.Cut(v, "=")
	switch TriggerKind(kind) {
	case TriggerHTTP, TriggerCommand:
		if kind != v {
			return fmt.Errorf("%s takes no argument", kind)
		}
		s.Trigger = TriggerKind(v)
		return nil
	case "schedule", "watch":
		return fmt.Errorf("this mayfly does not run %s triggers", kind)
	}
	return fmt.Errorf("unknown trigger")
}

func readDuration(d *time.Duration, v string, least time.Duration) error {
	n, err := time.ParseDuration(v)
	if err != nil {
		return fmt.Errorf("want a duration with its unit (ms, s, m, h)")
	}
	if n < least || n > maxTimeout {
		return fmt.Errorf("want a duration from %s to %s", least, maxTimeout)
	}
	*d = n
	return nil
}

func readBool(b *bool, v string) error {
	switch v {
	case "1", "true":
		*b = true
	case "0", "false":
		*b = false
	default:
		return fmt.Errorf("want 1 or 0")
	}
	return nil
}
