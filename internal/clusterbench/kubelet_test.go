package clusterbench

import (
	"strings"
	"testing"
	"time"
)

const metrics = `# HELP kubelet_runtime_operations_duration_seconds Duration in seconds of runtime operations.
# TYPE kubelet_runtime_operations_duration_seconds histogram
kubelet_runtime_operations_duration_seconds_bucket{operation_type="run_podsandbox",le="0.005"} 0
kubelet_runtime_operations_duration_seconds_sum{operation_type="run_podsandbox"} 2.5
kubelet_runtime_operations_duration_seconds_count{operation_type="run_podsandbox"} 10
kubelet_runtime_operations_duration_seconds_sum{operation_type="start_container"} 1e-01
kubelet_runtime_operations_duration_seconds_count{operation_type="start_container"} 2
kubelet_runtime_operations_errors_total{operation_type="start_container"} 7
kubelet_runtime_operations_duration_seconds_sum{operation_type="bad"} many
`

func TestOperationsAreReadFromKubeletsMetrics(t *testing.T) {
	got := parseOperations(strings.NewReader(metrics))
	if len(got) != 2 || got["run_podsandbox"] != (operation{2.5, 10}) || got["start_container"] != (operation{0.1, 2}) {
		t.Errorf("%+v", got)
	}
}

func TestAnOperationTookTheDifferenceOfTwoSums(t *testing.T) {
	for _, c := range []struct {
		name        string
		before, now operation
		want        time.Duration
	}{
		{"one more", operation{2.5, 10}, operation{2.75, 11}, 250 * time.Millisecond},
		{"none", operation{2.5, 10}, operation{2.5, 10}, 0},
		{"the kubelet was started anew", operation{2.5, 10}, operation{0.5, 1}, 0},
		{"the first ever", operation{}, operation{0.5, 1}, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.now.since(c.before); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func FuzzOperations(f *testing.F) {
	f.Add(metrics)
	f.Add(`kubelet_runtime_operations_duration_seconds_sum{operation_type="`)
	f.Fuzz(func(t *testing.T, text string) {
		for name, o := range parseOperations(strings.NewReader(text)) {
			if o == (operation{}) && !strings.Contains(text, name) {
				t.Errorf("%q is nowhere", name)
			}
		}
	})
}
