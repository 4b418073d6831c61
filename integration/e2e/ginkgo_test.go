//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/mayfly-run/mayfly/integration/outcome"
	"github.com/mayfly-run/mayfly/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const aReport = `[{"SpecReports": [
  {"LeafNodeType": "BeforeSuite", "State": "passed"},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-node] Pods", "when new"], "LeafNodeText": "should run", "State": "passed", "RunTime": 2000000000,
   "SpecEvents": [{"Message": "Creating a kubernetes client"}, {"Message": "Destroying namespace \"pods-12\" for this suite."}]},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should end", "State": "failed",
   "Failure": {"Message": "timed out\n  after 5s", "Location": {"FileName": "k8s.io/kubernetes@v1/test/e2e/common/node/pods.go", "LineNumber": 7}}},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should hang", "State": "timedout"},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-node] Pods"], "LeafNodeText": "should be elsewhere", "State": "skipped",
   "Failure": {"Message": "not on this provider"}},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-apps] Jobs"], "LeafNodeText": "should be left out by a filter", "State": "skipped"}]}]`

func readText(t *testing.T, text string) ([]specReport, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return readReport(path)
}

func TestReadReport(t *testing.T) {
	specs, err := readText(t, aReport)
	if err != nil {
		t.Fatal(err)
	}
	r, err := openRecords(filepath.Join(t.TempDir(), "runc.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.add(specs, map[string]bool{"pods-12": true}); err != nil {
		t.Fatal(err)
	}
	r, err = openRecords(r.path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]record{
		"[sig-node] Pods when new should run": {outcome.Result{Outcome: outcome.Pass}, true, 2},
		"[sig-node] Pods should end":          {outcome.Result{Outcome: outcome.Fail, Reason: "common/node/pods.go:7: timed out after 5s"}, false, 0},
		"[sig-node] Pods should hang":         {outcome.Result{Outcome: outcome.Stuck, Reason: ":0: "}, false, 0},
		"[sig-node] Pods should be elsewhere": {outcome.Result{Outcome: outcome.Skip, Reason: ":0: not on this provider"}, false, 0},
	} {
		if got := r.tests[name]; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if len(r.tests) != 4 {
		t.Errorf("there are %d tests in %v, want 4", len(r.tests), r.tests)
	}
	missing := r.missing([]string{"[sig-node] Pods when new should run", "[sig-node] Pods should end", "[sig-node] Pods should hang", "new"})
	if want := []string{"[sig-node] Pods should end", "[sig-node] Pods should hang", "new"}; !slices.Equal(missing, want) {
		t.Errorf("missing are %v, want %v", missing, want)
	}
}

func FuzzReadReport(f *testing.F) {
	f.Add(aReport)
	f.Add(`[{"SpecReports": [{"LeafNodeType": "It", "RunTime": -1, "Failure": {"Message": "x"}}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		specs, err := readText(t, text)
		if err != nil {
			return
		}
		for _, s := range specs {
			if s.result().Outcome == "" {
				t.Errorf("no outcome for %+v", s)
			}
		}
	})
}
