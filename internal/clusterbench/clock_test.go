package clusterbench

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// spent are a kubelet's operations after so many sandboxes of a second, and containers of a quarter.
func spent(sandboxes, created, started int) map[string]operation {
	return map[string]operation{
		"run_podsandbox":   {float64(sandboxes), sandboxes},
		"create_container": {float64(created) / 4, created},
		"start_container":  {float64(started) / 4, started},
	}
}

func TestAClockTellsOnlyOfAPodThatStartedAlone(t *testing.T) {
	alone := map[string]time.Duration{"run_podsandbox": time.Second, "create_container": time.Second / 2, "start_container": time.Second / 2}
	for _, c := range []struct {
		name          string
		before, after map[string]operation
		want          map[string]time.Duration
		leftOut       string
	}{
		{"it was alone", spent(7, 9, 9), spent(8, 11, 11), alone, ""},
		{"it was the node's first", map[string]operation{}, spent(1, 2, 2), alone, ""},
		{"another pod started meanwhile", spent(7, 9, 9), spent(9, 13, 13), nil, "1 of 1 starts: they are the whole node's"},
		{"a container of another pod started anew meanwhile", spent(7, 9, 9), spent(8, 12, 12), nil, "1 of 1 starts: they are the whole node's"},
		{"another pod's sandbox was made meanwhile", spent(7, 9, 9), spent(9, 11, 11), nil, "1 of 1 starts: they are the whole node's"},
		{"the kubelet started anew", spent(7, 9, 9), spent(0, 0, 0), nil, "or the kubelet itself"},
		{"nothing could be read before", nil, spent(8, 11, 11), nil, "1 of 1 starts: no rights"},
		{"nothing could be read after", spent(7, 9, 9), nil, nil, "1 of 1 starts: no rights"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &clock{why: errors.New("no rights")}
			if got := k.took(c.before, c.after, 2); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := strings.Join(k.leftOut(), "; "); !strings.Contains(got, c.leftOut) || (got == "") != (c.leftOut == "") {
				t.Errorf("left out: %q", got)
			}
		})
	}
}

func TestAClockThatCannotBeReadIsLeftOutInOneSentence(t *testing.T) {
	reads := 0
	k := &clock{read: func(context.Context) (map[string]operation, error) {
		reads++
		return nil, errors.New("forbidden")
	}}
	for range 8 {
		k.took(k.now(t.Context()), k.now(t.Context()), 1)
	}
	if got := k.leftOut(); len(got) != 1 || got[0] != "what kubelet's metrics tell of 8 of 8 starts: forbidden" || reads != 16 {
		t.Errorf("%q after %d reads", got, reads)
	}
}
