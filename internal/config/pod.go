package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Names of the annotations that a pod has for mayfly. Each is about the pod as a whole.
const (
	annotationPrefix = "mayfly.run/"
	// ProbeAnnotation says who answers kubelet's probes.
	ProbeAnnotation = annotationPrefix + "probe"
	// ExitWithMainAnnotation says whether sidecars end when the main containers have.
	ExitWithMainAnnotation = annotationPrefix + "exit-with-main"
)

// Bounds of what annotations may say.
const (
	maxName  = 63  // of a container, as Kubernetes has it
	maxNames = 250 // in one annotation
	// maxUnknown bounds the sentences about one pod's annotations.
	maxUnknown = 10
)

// ErrAnnotation marks a pod's annotation that could not be understood.
var ErrAnnotation = errors.New("invalid annotation")

// Pod is what the annotations of a pod say.
type Pod struct {
	// Probe is who answers probes, empty when the pod does not say.
	Probe Probe
	// ExitWithMain is whether sidecars end with the main containers.
	ExitWithMain ExitWithMain
}

// Probe is who answers kubelet's probes of a sidecar.
type Probe string

// Those who can answer a probe.
const (
	ProbeMayfly Probe = "mayfly"
	ProbeGuest  Probe = "guest"
)

// ExitWithMain is what a pod says about the end of its sidecars.
type ExitWithMain struct {
	Rule ExitRule
	// Names are the containers to wait for under [ExitAfterNamed], at least one.
	Names []string
}

// ExitRule is when sidecars end of themselves.
type ExitRule string

// The rules.
const (
	// ExitInJobs is the default: in a Job's pod, when all main containers are done.
	ExitInJobs ExitRule = ""
	// ExitAlways is ExitInJobs in any pod.
	ExitAlways ExitRule = "true"
	// ExitNever leaves sidecars to kubelet.
	ExitNever ExitRule = "false"
	// ExitAfterNamed is in any pod, when all containers of these names are done.
	ExitAfterNamed ExitRule = "named"
)

// almostRules are meant as a rule and would be taken for a container's name, which would be waited for for ever.
var almostRules = []string{"true", "false", "yes", "no", "on", "off"}

var annotations = []struct {
	name    string
	example string
	read    func(*Pod, string) error
}{
	{ProbeAnnotation, "mayfly or guest", func(p *Pod, v string) error { return readProbe(&p.Probe, v) }},
	{ExitWithMainAnnotation, "true, false or the names of containers, as in app,worker", func(p *Pod, v string) error {
		return readExitWithMain(&p.ExitWithMain, v)
	}},
}

// ParsePod reads what the annotations of a pod say to mayfly; all others are ignored. An error wraps [ErrAnnotation] and names the
// annotation, its value and what would be right.
func ParsePod(all map[string]string) (Pod, error) {
	var p Pod
	for _, a := range annotations {
		value, set := all[a.name]
		if !set {
			continue
		}
		if err := a.read(&p, value); err != nil {
			return Pod{}, &settingError{kind: ErrAnnotation, name: a.name, value: value, example: a.example, err: err}
		}
	}
	return p, nil
}

// UnknownAnnotations returns a sentence for each annotation to mayfly that ParsePod ignores, with the name that was probably meant.
// A pod with more than a handful of them hears of the first.
func UnknownAnnotations(all map[string]string) []string {
	var known []string
	for _, a := range annotations {
		known = append(known, a.name)
	}
	var sentences []string
	for name := range all {
		if !strings.HasPrefix(name, annotationPrefix) || slices.Contains(known, name) {
			continue
		}
		sentence := fmt.Sprintf("%.80s: this mayfly knows no such annotation", name)
		if meant := closest(name, known); meant != "" {
			sentence += "; did you mean " + meant + "?"
		}
		sentences = append(sentences, sentence)
	}
	slices.Sort(sentences)
	return sentences[:min(len(sentences), maxUnknown)]
}

func readProbe(p *Probe, v string) error {
	switch Probe(v) {
	case ProbeMayfly, ProbeGuest:
		*p = Probe(v)
		return nil
	}
	return fmt.Errorf("want %s or %s", ProbeMayfly, ProbeGuest)
}

var errNoRule = errors.New("want true, false, or names of containers with commas between them")

func readExitWithMain(e *ExitWithMain, v string) error {
	switch rule := ExitRule(v); rule {
	case ExitAlways, ExitNever:
		e.Rule = rule
		return nil
	}
	if slices.Contains(almostRules, strings.ToLower(v)) {
		return errNoRule
	}
	names := strings.SplitN(v, ",", maxNames+1)
	if len(names) > maxNames {
		return fmt.Errorf("want at most %d names", maxNames)
	}
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); !isContainerName(names[i]) {
			return errNoRule
		}
	}
	*e = ExitWithMain{Rule: ExitAfterNamed, Names: names}
	return nil
}

// isContainerName reports whether a pod may have a container of this name (RFC 1123, "label").
func isContainerName(s string) bool {
	if s == "" || len(s) > maxName || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
