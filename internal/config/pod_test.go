package config

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestWhatAPodSaysIsRead(t *testing.T) {
	for _, tc := range []struct {
		name string
		said map[string]string
		want Pod
	}{
		{"nothing", nil, Pod{}},
		{"nothing to mayfly", map[string]string{"example.com/probe": "x", "mayfly.run/from-the-future": "x"}, Pod{}},
		{"mayfly answers probes", map[string]string{ProbeAnnotation: "mayfly"}, Pod{Probe: ProbeMayfly}},
		{"the guest answers probes", map[string]string{ProbeAnnotation: "guest"}, Pod{Probe: ProbeGuest}},
		{"sidecars end with the main containers", map[string]string{ExitWithMainAnnotation: "true"}, Pod{ExitWithMain: ExitWithMain{Rule: ExitAlways}}},
		{"sidecars stay", map[string]string{ExitWithMainAnnotation: "false"}, Pod{ExitWithMain: ExitWithMain{Rule: ExitNever}}},
		{"one container", map[string]string{ExitWithMainAnnotation: "app"}, Pod{ExitWithMain: ExitWithMain{ExitAfterNamed, []string{"app"}}}},
		{"several", map[string]string{ExitWithMainAnnotation: "app, worker-2,true"}, Pod{ExitWithMain: ExitWithMain{ExitAfterNamed, []string{"app", "worker-2", "true"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParsePod(tc.said)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func TestARefusalNamesTheAnnotationAndAnExample(t *testing.T) {
	for name, values := range map[string][]string{
		ProbeAnnotation:        {"", "Mayfly", "none", strings.Repeat("x", 300_000)},
		ExitWithMainAnnotation: {"", "True", "yes", "no", "off", "app,", ",", "a b", "-a", "a-", "ä", strings.Repeat("a", 64), strings.Repeat("a,", 300) + "a"},
	} {
		for _, value := range values {
			_, err := ParsePod(map[string]string{name: value})
			if !errors.Is(err, ErrAnnotation) || errors.Is(err, ErrVariable) {
				t.Fatalf("%s=%.80q: got %v, want ErrAnnotation", name, value, err)
			}
			if !strings.HasPrefix(err.Error(), name+"=") || !strings.Contains(err.Error(), "for example") || len(err.Error()) > 400 {
				t.Errorf("unhelpful: %v", err)
			}
		}
	}
}

func TestAMisspeltAnnotationIsRecognised(t *testing.T) {
	got := UnknownAnnotations(map[string]string{
		"mayfly.run/exit-with-mains": "true", "mayfly.run/probe": "guest", "mayfly.run/colour": "red", "example.com/probes": "x",
	})
	want := []string{
		"mayfly.run/colour: this mayfly knows no such annotation",
		"mayfly.run/exit-with-mains: this mayfly knows no such annotation; did you mean mayfly.run/exit-with-main?",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOfManyUnknownAnnotationsTheFirstAreNamed(t *testing.T) {
	many := map[string]string{}
	for c := 'a'; c <= 'z'; c++ {
		many["mayfly.run/"+strings.Repeat(string(c), 200)] = ""
	}
	got := UnknownAnnotations(many)
	if len(got) != maxUnknown || !strings.HasPrefix(got[0], "mayfly.run/aaa") || len(got[0]) > 200 {
		t.Errorf("got %d: %q", len(got), got)
	}
}

func FuzzParsePod(f *testing.F) {
	f.Add("mayfly", "true")
	f.Add("guest", "app,worker")
	f.Fuzz(func(t *testing.T, probe, exit string) {
		p, err := ParsePod(map[string]string{ProbeAnnotation: probe, ExitWithMainAnnotation: exit})
		if err == nil && (p.Probe == "" || (p.ExitWithMain.Rule == ExitAfterNamed) != (len(p.ExitWithMain.Names) > 0)) {
			t.Errorf("%q and %q gave %+v", probe, exit, p)
		}
	})
}
