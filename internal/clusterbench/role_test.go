package clusterbench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// right is a verb and what it is for, as RBAC has it: "get nodes/proxy", "get node.k8s.io/runtimeclasses".
func right(verb, group, resource string) string {
	if group != "" {
		group += "/"
	}
	return verb + " " + group + resource
}

// rightOf is what a request needs, as the API server sees it; "" for what everybody may.
func rightOf(r *http.Request) string {
	words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	switch words[0] {
	case "api":
		words = words[2:]
	case "apis":
		group, words = words[1], words[3:]
	default:
		return ""
	}
	if words[0] == "namespaces" && len(words) > 2 {
		words = words[2:]
	}
	resource, name := words[0], len(words) > 1
	if len(words) > 2 {
		resource += "/" + words[2]
	}
	verb := map[string]string{http.MethodPost: "create", http.MethodDelete: "delete", http.MethodGet: "get"}[r.Method]
	switch {
	case verb == "get" && r.URL.Query().Get("watch") == "true":
		verb = "watch"
	case verb == "get" && !name:
		verb = "list"
	}
	return right(verb, group, resource)
}

// guard notes what rights requests need. It answers what has to be answered for the next one to come.
type guard struct {
	mu   sync.Mutex // guards what follows
	used map[string]bool
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	need := rightOf(r)
	g.mu.Lock()
	g.used[need] = true
	g.mu.Unlock()
	var answer any
	switch need {
	case "list pods":
		answer = corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	case "get serviceaccounts":
		answer = corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{Kind: "ServiceAccount", APIVersion: "v1"}}
	case "get node.k8s.io/runtimeclasses":
		answer = nodev1.RuntimeClass{TypeMeta: metav1.TypeMeta{Kind: "RuntimeClass", APIVersion: "node.k8s.io/v1"}}
	case "create namespaces", "delete namespaces":
		answer = metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// connected is an api whose server is h.
func connected(t *testing.T, h http.Handler) *api {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	a, err := connect((&control{server: server}).options(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheRoleForARunHasTheRightsThatItsRequestsNeedAndNoOther(t *testing.T) {
	g := &guard{used: map[string]bool{}}
	a := connected(t, g)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	ended := corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "c", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}}}
	ended.Name = "p"
	// Every request that the package makes; most of these fail, which is all the same.
	_, _ = a.class(ctx, "mayfly")
	_ = a.version(ctx)
	_, _ = a.nodes(ctx, "mayfly", nodev1.Scheduling{})
	_, _ = a.running(ctx)
	if err := a.create(ctx); err != nil {
		t.Fatal(err)
	}
	p := &pods{api: a, seen: map[string]*sight{}, changed: make(chan struct{})}
	_ = p.watch(ctx)
	_, _ = p.create(ctx, &ended)
	_ = p.remove(ctx, "p")
	_ = a.exec(ctx, "p", nil, io.Discard, "true")
	_ = a.wrongSandbox(ctx, "p")
	_ = a.lastWords(ctx, &ended)
	_, _ = a.operations(ctx, "n")
	_, _ = a.summary(ctx, "n")
	if err := a.remove(ctx); err != nil {
		t.Fatal(err)
	}
	delete(g.used, "") // the version
	used := slices.Sorted(maps.Keys(g.used))
	if given := rightsOf(t, "../../examples/bench-role.yaml"); !slices.Equal(used, given) {
		t.Errorf("requests need\n%s\nthe role has\n%s", strings.Join(used, "\n"), strings.Join(given, "\n"))
	}
}

// rightsOf are those of a ClusterRole in a file.
func rightsOf(t *testing.T, file string) (all []string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var role struct {
		Rules []struct{ APIGroups, Resources, Verbs []string }
	}
	if err := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text)).Decode(&role); err != nil {
		t.Fatal(err)
	}
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, right(verb, group, resource))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestARemovalThatMayNotBeWatchedEndsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason metav1.StatusReason
		code   int
	}{
		{"forbidden", metav1.StatusReasonForbidden, http.StatusForbidden},
		{"unauthorized", metav1.StatusReasonUnauthorized, http.StatusUnauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			a := connected(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				answer := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Success"}
				if r.Method == http.MethodGet {
					asked++
					answer.Status, answer.Reason, answer.Code, answer.Message = "Failure", c.reason, int32(c.code), "it may not"
					w.WriteHeader(c.code)
				}
				_ = json.NewEncoder(w).Encode(answer)
			}))
			a.namespace = "mayfly-bench-x"
			err := a.remove(t.Context())
			if asked != 1 || err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "it may not") || !strings.Contains(err.Error(), "examples/bench-role.yaml") {
				t.Errorf("asked %d times: %v", asked, err)
			}
		})
	}
}
