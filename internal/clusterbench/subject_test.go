package clusterbench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
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
		if n := len(p.Spec.Containers); n != containers || p.Spec.Containers[n-1].Name != mainContainer || p.Spec.NodeSelector[corev1.LabelHostname] != "n" {
			t.Errorf("%s: %d containers, %+v", s.name, n, p.Spec)
		}
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

func TestTheNodeIsNotTheControlPlanesIfThereIsAnother(t *testing.T) {
	node := func(name string, control bool) corev1.Node {
		n := corev1.Node{}
		n.Name = name
		if control {
			n.Labels = map[string]string{"node-role.kubernetes.io/control-plane": ""}
		}
		return n
	}
	for _, c := range []struct {
		name  string
		nodes []corev1.Node
		ask   string
		want  string
	}{
		{"there is another", []corev1.Node{node("a", true), node("b", false)}, "", "b"},
		{"there is none", []corev1.Node{node("a", true)}, "", "a"},
		{"it is asked for", []corev1.Node{node("a", true), node("b", false)}, "a", "a"},
		{"nobody has that name", []corev1.Node{node("a", false)}, "x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := chosen(c.nodes, c.ask)
			if (err != nil) != (c.want == "") || err == nil && n.Name != c.want {
				t.Errorf("%v, %v", n, err)
			}
		})
	}
}
