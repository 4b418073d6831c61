package clusterbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mayfly-run/mayfly/internal/progress"
)

// control is an API server with one node on which no pod ever starts.
type control struct {
	server *httptest.Server
	class  bool // there is the RuntimeClass
	where  *nodev1.Scheduling
	status corev1.PodStatus // of every pod
	asked  chan string      // gets the name of each pod that is created

	mu         sync.Mutex // guards what follows
	namespaces map[string]bool
	pods       []corev1.Pod
	news       chan struct{} // closed when there is a pod
}

func newControl(t *testing.T) *control {
	c := &control{class: true, asked: make(chan string, 10), namespaces: map[string]bool{}, news: make(chan struct{})}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

// options are those of a run against it.
func (c *control) options(t *testing.T) Options {
	dir := t.TempDir()
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: here, clusters: [{name: here, cluster: {server: %q}}], contexts: [{name: here, context: {cluster: here}}]}`, c.server.URL)
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteImages(dir, someImages()); err != nil {
		t.Fatal(err)
	}
	return Options{Kubeconfig: file, RuntimeClass: "mayfly", Images: dir, Parts: []Part{Starts}, WakePods: 1, Privileged: true}
}

func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	last := path[strings.LastIndex(path, "/")+1:]
	w.Header().Set("Content-Type", "application/json")
	reply := func(code int, v any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(v)
	}
	no := metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: metav1.StatusReasonNotFound, Code: 404}
	switch {
	case strings.Contains(path, "runtimeclasses") && !c.class:
		reply(404, no)
	case strings.Contains(path, "runtimeclasses"):
		reply(200, nodev1.RuntimeClass{TypeMeta: metav1.TypeMeta{Kind: "RuntimeClass", APIVersion: "node.k8s.io/v1"}, Handler: "mayfly", Scheduling: c.where})
	case path == "nodes":
		n := corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}}
		n.Name = "node"
		reply(200, corev1.NodeList{TypeMeta: metav1.TypeMeta{Kind: "NodeList", APIVersion: "v1"}, Items: []corev1.Node{n}})
	case last == "default":
		a := corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{Kind: "ServiceAccount", APIVersion: "v1"}}
		reply(200, a)
	case strings.HasPrefix(path, "namespaces") && !strings.Contains(path, "/pods") && !strings.Contains(path, "/events"):
		c.namespace(r, last, reply, no)
	case last == "pods":
		c.podsOf(w, r, reply)
	default:
		reply(404, no)
	}
}

func (c *control) namespace(r *http.Request, name string, reply func(int, any), no metav1.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ns := corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}}
	switch {
	case r.Method == http.MethodPost:
		c.namespaces["made"] = true
		reply(201, ns)
	case r.Method == http.MethodDelete:
		c.namespaces["made"] = false
		reply(200, ns)
	case c.namespaces["made"]:
		reply(200, ns)
	default:
		reply(404, no)
	}
}

func (c *control) podsOf(w http.ResponseWriter, r *http.Request, reply func(int, any)) {
	switch {
	case r.Method == http.MethodPost:
		_, _ = io.Copy(io.Discard, r.Body)
		p := corev1.Pod{TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}, Status: c.status}
		p.Name = "warm-up"
		c.mu.Lock()
		c.pods = append(c.pods, p)
		close(c.news)
		c.mu.Unlock()
		reply(201, p)
		c.asked <- p.Name
	case r.URL.Query().Get("watch") == "true":
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-c.news:
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"type": "ADDED", "object": c.pods[0]})
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		reply(200, corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}})
	}
}

// left tells whether the namespace is still there.
func (c *control) left() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.namespaces["made"]
}

func TestARunAgainstAClusterWithoutTheRuntimeClassMakesNothing(t *testing.T) {
	c := newControl(t)
	c.class = false
	r, err := Run(t.Context(), c.options(t), progress.New(io.Discard))
	if r != nil || err == nil || !strings.Contains(err.Error(), "has no RuntimeClass mayfly: install mayfly") {
		t.Errorf("%v, %v", r, err)
	}
	if _, ok := c.namespaces["made"]; ok {
		t.Error("there was a namespace")
	}
}

func TestARunWhereNoNodeHasWhatTheRuntimeClassSelectsMakesNothing(t *testing.T) {
	c := newControl(t)
	c.where = &nodev1.Scheduling{NodeSelector: map[string]string{"mayfly.run/installed": "true"}}
	r, err := Run(t.Context(), c.options(t), progress.New(io.Discard))
	if r != nil || err == nil || !strings.Contains(err.Error(), "kubectl get nodes --selector mayfly.run/installed=true") {
		t.Errorf("%v, %v", r, err)
	}
	if _, ok := c.namespaces["made"]; ok {
		t.Error("there was a namespace")
	}
}

func TestARunAgainstNobodySaysWhomItAsked(t *testing.T) {
	c := newControl(t)
	o := c.options(t)
	c.server.Close()
	if _, err := Run(t.Context(), o, progress.New(io.Discard)); err == nil || !strings.Contains(err.Error(), "ask the cluster at http://127.0.0.1:") {
		t.Error(err)
	}
}

func TestAPodThatCannotStartEndsTheRunAndTheNamespace(t *testing.T) {
	c := newControl(t)
	c.status = waiting("ErrImagePull", "not found")
	r, err := Run(t.Context(), c.options(t), progress.New(io.Discard))
	if r != nil || !errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), "kind load image-archive") {
		t.Errorf("%v, %v", r, err)
	}
	if c.left() {
		t.Error("the namespace is still there")
	}
}

func TestARunThatIsInterruptedRemovesItsNamespace(t *testing.T) {
	c := newControl(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Run(ctx, c.options(t), progress.New(io.Discard))
		ended <- err
	}()
	<-c.asked
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if c.left() {
		t.Error("the namespace is still there")
	}
}
