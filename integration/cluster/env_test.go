//go:build linux

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/e2e-framework/klient"
	"sigs.k8s.io/e2e-framework/klient/conf"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"
	"sigs.k8s.io/e2e-framework/klient/wait"
	"sigs.k8s.io/e2e-framework/klient/wait/conditions"
	"sigs.k8s.io/e2e-framework/pkg/envconf"

	"github.com/mayfly-run/mayfly/integration/expect"
	"github.com/mayfly-run/mayfly/integration/lab"
)

// env is what a scenario works with. Its methods fail the test by themselves.
type env struct {
	*testing.T
	ctx       context.Context
	cfg       *envconf.Config
	resources *resources.Resources
	namespace string
	runtime   string   // RuntimeClass, "" for runc
	cluster   *Cluster // nil on a cluster that is only given by its kubeconfig

	place  *place
	logged map[string]int64 // how long the node's logs were when the scenario began
}

// connect makes clients that do not hold requests back, as they do by default.
func connect(kubeconfig string) (*envconf.Config, error) {
	rest, err := conf.New(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	rest.QPS = -1
	client, err := klient.New(rest)
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return envconf.New().WithParallelTestEnabled().WithClient(client), nil
}

// begin makes the scenario's namespace, and waits until pods can be made in it.
func (e *env) begin(scenario string) {
	e.Helper()
	e.noteLogs()
	e.namespace = envconf.RandomName(slug(scenario), 46)
	// Not the client's own: there is one for all, and its namespace is the last that anybody named.
	own, err := resources.New(e.cfg.Client().RESTConfig())
	e.check(err)
	e.resources = own.WithNamespace(e.namespace)
	e.check(e.resources.Create(e.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: e.namespace, Labels: map[string]string{ours: ""},
	}}))
	e.eventually("the namespace has a ServiceAccount", func() bool {
		return e.resources.Get(e.ctx, "default", e.namespace, &corev1.ServiceAccount{}) == nil
	})
}

// slug is the beginning of a sentence as a name.
func slug(sentence string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(sentence))
	return strings.Trim(s[:min(40, len(s))], "-")
}

// end begins to remove the namespace; nobody waits for it but place.settle.
// Pods are told not to take their time over it.
func (e *env) end() {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: e.namespace}}
	if err := e.resources.Delete(e.ctx, ns); err != nil {
		e.Errorf("delete the namespace: %v", err)
		return
	}
	var pods corev1.PodList
	if err := e.resources.List(e.ctx, &pods); err != nil {
		e.Errorf("list pods: %v", err)
		return
	}
	for _, p := range pods.Items {
		_ = e.resources.Delete(e.ctx, &p, resources.WithGracePeriod(time.Second)) // it may be gone by now
	}
}

func (e *env) check(err error) { e.Helper(); expect.Success(e, err) }

// patient is how to wait for one thing, on a machine that has other work.
var patient = expect.Wait{Within: 100 * time.Second, Every: 100 * time.Millisecond}

// eventually waits until what is so.
func (e *env) eventually(what string, so func() bool) {
	e.Helper()
	patient.Eventually(e.ctx, e, what, so)
}

func (e *env) equal(what string, got, want any) { e.Helper(); expect.Equal(e, what, got, want) }

func (e *env) contains(what, text string, parts ...string) {
	e.Helper()
	expect.Contains(e, what, text, parts...)
}

// apply makes what the YAML documents of a manifest say, as kubectl apply
// --server-side does. RUNTIME in it stands for the line that names the runtime
// class.
func (e *env) apply(manifest string) {
	e.Helper()
	e.check(e.tryApply(manifest))
}

func (e *env) tryApply(manifest string) error {
	class := "runtimeClassName: " + e.runtime
	if e.runtime == "" {
		class = "runtimeClassName: null" // so that it may stand in braces too
	}
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(strings.ReplaceAll(manifest, "RUNTIME", class)), 4096)
	for {
		var u unstructured.Unstructured
		if err := documents.Decode(&u.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the manifest: %w", err)
		}
		if len(u.Object) == 0 {
			continue
		}
		dropNulls(u.Object)
		if err := e.applyOne(&u); err != nil {
			return fmt.Errorf("apply %s %s: %w", u.GetKind(), u.GetName(), err)
		}
	}
}

func (e *env) applyOne(u *unstructured.Unstructured) error {
	c := e.resources.GetControllerRuntimeClient()
	namespaced, err := c.IsObjectNamespaced(u)
	if err != nil {
		return err
	}
	if namespaced && u.GetNamespace() == "" {
		u.SetNamespace(e.namespace)
	}
	return c.Apply(e.ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("scenarios"), client.ForceOwnership)
}

// dropNulls removes what a manifest says to be null.
func dropNulls(in any) {
	switch in := in.(type) {
	case map[string]any:
		for k, v := range in {
			if v == nil {
				delete(in, k)
			}
			dropNulls(v)
		}
	case []any:
		for _, v := range in {
			dropNulls(v)
		}
	}
}

// command is kubectl in the scenario's namespace.
func (e *env) command(args ...string) *exec.Cmd {
	return exec.CommandContext(e.ctx, e.place.kubectl, append([]string{
		"--kubeconfig", e.place.kubeconfig, "--cache-dir", e.place.kubecache, "--namespace", e.namespace,
	}, args...)...)
}

// tryKubectl runs kubectl, which may fail.
func (e *env) tryKubectl(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := e.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// kubectl runs kubectl and returns what it prints; it must succeed.
func (e *env) kubectl(args ...string) string {
	e.Helper()
	out, errs, err := e.tryKubectl(args...)
	if err != nil {
		e.Fatalf("kubectl %s: %v: %s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// pod is the pod as it is now.
func (e *env) pod(name string) *corev1.Pod {
	e.Helper()
	var p corev1.Pod
	if err := e.resources.Get(e.ctx, name, e.namespace, &p); err != nil {
		e.Fatalf("get pod %s: %v", name, err)
	}
	return &p
}

// ready waits until the pod is.
func (e *env) ready(name string) *corev1.Pod {
	e.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: e.namespace}}
	e.wait("pod "+name+" is ready", func(c *conditions.Condition) waitCondition { return c.PodReady(pod) })
	return e.pod(name)
}

type waitCondition = func(context.Context) (bool, error)

// wait waits for a condition of the framework's, which conditions has many of.
func (e *env) wait(what string, condition func(*conditions.Condition) waitCondition) {
	e.Helper()
	err := wait.For(condition(conditions.New(e.resources)), wait.WithContext(e.ctx), wait.WithImmediate(),
		wait.WithInterval(lab.Patience(patient.Every)), wait.WithTimeout(lab.Patience(patient.Within)))
	if err != nil {
		e.Fatalf("it does not come to pass: %s: %v", what, err)
	}
}

// exec runs a command in a container of a pod.
func (e *env) exec(pod, container string, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	err = e.resources.ExecInPod(e.ctx, e.namespace, pod, container, args, &out, &errs)
	return out.String(), errs.String(), err
}

// sh runs a shell command in the pod's container main and returns what it
// prints; it must succeed.
func (e *env) sh(pod, script string) string {
	e.Helper()
	out, errs, err := e.exec(pod, "main", "sh", "-c", script)
	if err != nil {
		e.Fatalf("in pod %s: %s: %v: %s%s", pod, script, err, out, errs)
	}
	return out
}

// setting is a duration as a sidecar's settings have it, longer on a machine
// that is slower than usual.
func setting(d time.Duration) string { return lab.Patience(d).String() }

// seconds is the same as kubectl and curl have it.
func seconds(n int) int { return int(lab.Patience(time.Duration(n) * time.Second).Seconds()) }

// curlPatience is how many seconds an answer may take.
var curlPatience = fmt.Sprint(seconds(20))

// get asks for a URL from the pod's container main; the answer must be a good one.
func (e *env) get(pod, url string) string {
	e.Helper()
	return strings.TrimSuffix(e.sh(pod, "curl -sS --fail-with-body --max-time "+curlPatience+" '"+url+"'"), "\n")
}

// status asks for a URL and returns the answer's status, "000" for none.
func (e *env) status(pod, url string) string {
	e.Helper()
	return strings.TrimSpace(e.sh(pod, "curl -s --max-time "+curlPatience+" -o /dev/null -w '%{http_code}' '"+url+"' || true"))
}

// logs is what a container has written.
func (e *env) logs(pod, container string) string {
	e.Helper()
	clients, err := kubernetes.NewForConfig(e.cfg.Client().RESTConfig())
	e.check(err)
	text, err := clients.CoreV1().Pods(e.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).DoRaw(e.ctx)
	if err != nil {
		e.Fatalf("logs of %s in pod %s: %v", container, pod, err)
	}
	return string(text)
}

// events are those of a pod, a line each.
func (e *env) events(pod string) string {
	e.Helper()
	var list corev1.EventList
	e.check(e.resources.List(e.ctx, &list, resources.WithFieldSelector("involvedObject.name="+pod)))
	var b strings.Builder
	for _, ev := range list.Items {
		fmt.Fprintf(&b, "%s %s: %s\n", ev.Type, ev.Reason, ev.Message)
	}
	return b.String()
}
