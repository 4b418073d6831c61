package clusterbench

import (
	"encoding/json"
	"strings"
	"testing"
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

func TestTheMemoryOfAPodIsFoundInTheSummary(t *testing.T) {
	s := &summary{}
	err := json.Unmarshal([]byte(`{"pods": [
		{"podRef": {"name": "p", "namespace": "other"}, "memory": {"workingSetBytes": 1}},
		{"podRef": {"name": "p", "namespace": "ns"}, "memory": {"workingSetBytes": 30}, "containers": [{"name": "main", "memory": {"workingSetBytes": 20}}, {"name": "c", "memory": {"workingSetBytes": 10}}]},
		{"podRef": {"name": "new", "namespace": "ns"}}]}`), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, pod, container string
		whole, part          int64
	}{
		{"the pod and its container", "p", "c", 30, 10},
		{"a pod without that container", "p", "none", 30, 0},
		{"a pod of which kubelet knows nothing yet", "new", "c", 0, 0},
		{"a pod that is not there", "gone", "c", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if whole, part := s.memory("ns", c.pod, c.container); whole != c.whole || part != c.part {
				t.Errorf("%d, %d", whole, part)
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
