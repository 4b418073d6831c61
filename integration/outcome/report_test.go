package outcome

import (
	"bytes"
	"strings"
	"testing"
)

// of makes results of "TEST OUTCOME [REASON]" each.
func of(lines ...string) Results {
	r := Results{}
	for _, l := range lines {
		f := append(strings.SplitN(l, " ", 3), "", "")
		r[f[0]] = Result{f[1], f[2]}
	}
	return r
}

func TestReport(t *testing.T) {
	for name, c := range map[string]struct {
		mayfly, runc Results
		worse        bool
		say, silent  string
	}{
		"nothing differs": {
			of("A pass"), of("A pass"), false, "no test differs", "different",
		},
		"a failure of both is told and forgiven": {
			of("A fail"), of("A fail"), false, "with both:\n  A: ", "different",
		},
		"a failure of mayfly's only is not": {
			of("A fail no such thing"), of("A pass"), true, "A: fail with mayfly, pass with runc\n    no such thing", "no test differs",
		},
		"nor is a test that never ends with mayfly": {
			of("A stuck"), of("A pass"), true, "A: stuck with mayfly", "no test differs",
		},
		"nor is a subtest mayfly does not reach": {
			of("A pass"), of("A/sub pass", "A pass"), true, "A/sub: not run with mayfly", "no test differs",
		},
		"a failure of runc's only is told": {
			of("A pass"), of("A fail"), false, "A: pass with mayfly, fail with runc", "no test differs",
		},
		"of a test and its subtest the subtest is named": {
			of("A/sub fail", "A fail"), of("A/sub pass", "A pass"), true, "  A/sub: fail", "  A: fail",
		},
		"what says nothing of a runtime is not counted as compared": {
			of("A pass", "B pass"), of("A pass", "B pass"), false, "1 pass with both and need one: these", "different",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Report{Mayfly: c.mayfly, Runc: c.runc, Logs: "out", How: "need one", Telling: func(test string) bool { return test == "A" }}
			var b bytes.Buffer
			if worse := r.Print(&b); worse != c.worse {
				t.Errorf("worse is %v, want %v", worse, c.worse)
			}
			if !strings.Contains(b.String(), c.say) || strings.Contains(b.String(), c.silent) {
				t.Errorf("want %q and not %q in:\n%s", c.say, c.silent, &b)
			}
		})
	}
}
