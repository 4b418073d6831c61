package clusterbench

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
)

func someImages() []Image {
	return []Image{
		{Role: RoleAgent, Name: "agent", Ref: "x/agent:1"},
		{Role: RoleServer, Name: "server", Title: "Go server", Ref: "x/server:1"},
		{Role: RoleGuest, Name: "c", Title: "C", Ref: "x/c:1"},
		{Role: RoleGuest, Name: "js", Title: "JavaScript", Ref: "x/js:1"},
		{Role: RoleNginx, Name: "nginx", Title: "nginx", Ref: "x/nginx:1"},
	}
}

func TestAPodHasTheRuntimeClassOnlyWithASidecarOfMayfly(t *testing.T) {
	r := &run{options: Options{RuntimeClass: "mayfly"}, api: &api{namespace: "ns"}, agent: &someImages()[0], subjects: subjects(someImages(), nil)}
	for _, s := range r.subjects {
		p := r.pod(spec{name: "x", subjects: []subject{s}, idle: time.Second, node: "n"})
		if (p.Spec.RuntimeClassName != nil) != s.isGuest() {
			t.Errorf("%s: RuntimeClass %v", s.name, p.Spec.RuntimeClassName)
		}
		containers := 2
		if s.name == nobody {
			containers = 1
		}
		if n := len(p.Spec.Containers); n != containers || p.Spec.Containers[n-1].Name != mainContainer {
			t.Errorf("%s: %d containers, %+v", s.name, n, p.Spec)
		}
	}
}

func TestPodsWithoutTheRuntimeClassStandWhereThoseOfItDo(t *testing.T) {
	where := nodev1.Scheduling{
		NodeSelector: map[string]string{"mayfly.run/installed": "true"},
		Tolerations:  []corev1.Toleration{{Key: "wasm", Operator: corev1.TolerationOpExists}},
	}
	r := &run{options: Options{RuntimeClass: "mayfly"}, where: where, api: &api{namespace: "ns"}, agent: &someImages()[0], subjects: subjects(someImages(), nil)}
	for _, s := range r.subjects {
		p := r.pod(spec{name: "x", subjects: []subject{s}})
		got := nodev1.Scheduling{NodeSelector: p.Spec.NodeSelector, Tolerations: p.Spec.Tolerations}
		want := where
		if s.isGuest() {
			want = nodev1.Scheduling{} // the API server puts it there
		}
		if !reflect.DeepEqual(got, want) || p.Spec.Affinity != nil {
			t.Errorf("%s: %+v", s.name, p.Spec)
		}
	}
}

func TestAPodOfOneNodeNamesTheNodeAndNotItsHost(t *testing.T) {
	r := &run{options: Options{RuntimeClass: "mayfly"}, api: &api{namespace: "ns"}, agent: &someImages()[0]}
	terms := r.pod(spec{name: "x", node: "n"}).Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	want := []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: corev1.NodeSelectorOpIn, Values: []string{"n"}}}}}
	if !reflect.DeepEqual(terms, want) {
		t.Errorf("%+v", terms)
	}
}

func TestNoTwoContainersOfAPodHaveOnePort(t *testing.T) {
	taken := map[int]string{}
	for _, s := range append(subjects(someImages(), nil), staticSubject) {
		if other := taken[s.port]; s.image != nil && other != "" {
			t.Errorf("%s and %s have port %d", s.name, other, s.port)
		}
		taken[s.port] = s.name
	}
}

func TestAQuickRunHasFewerGuests(t *testing.T) {
	var names []string
	for _, s := range subjects(someImages(), []string{"c"}) {
		names = append(names, s.name)
	}
	if got := strings.Join(names, " "); got != "c server nginx none" {
		t.Error(got)
	}
}

func TestTheListOfImagesIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadImages(dir); err == nil || !strings.Contains(err.Error(), "make bench-images") {
		t.Errorf("no list: %v", err)
	}
	if err := WriteImages(dir, someImages()); err != nil {
		t.Fatal(err)
	}
	got, err := ReadImages(dir)
	if err != nil || len(got) != len(someImages()) || got[2] != someImages()[2] {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "{}", "[]", `[{"role":"agent","name":"a","image":"b"}]`} {
		if err := os.WriteFile(filepath.Join(dir, ListFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadImages(dir); err == nil || !strings.Contains(err.Error(), "make bench-images") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
