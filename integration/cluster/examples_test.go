//go:build linux

package cluster

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// examples are the manifests of examples/kubernetes and what must come of each.
var examples = []struct {
	file  string
	check func(*env)
}{
	{"pod.yaml", examplePod},
	{"deployment.yaml", exampleDeployment},
	{"job.yaml", exampleJob},
	{"native-sidecar.yaml", exampleNative},
	{"restricted.yaml", exampleRestricted},
	{"configmap.yaml", exampleConfigMap},
}

var exampleScenarios = func() []scenario {
	var all []scenario
	for _, x := range examples {
		all = append(all, scenario{"the example " + x.file + " does what it says", func(e *env) {
			e.applyExample(x.file)
			x.check(e)
		}, sidecar})
	}
	return all
}()

const exampleDir = "../../examples/kubernetes"

func TestEveryExampleIsApplied(t *testing.T) {
	var tested []string
	for _, x := range examples {
		tested = append(tested, filepath.Join(exampleDir, x.file))
	}
	slices.Sort(tested)
	files, err := filepath.Glob(exampleDir + "/*.yaml")
	if err != nil || !slices.Equal(files, tested) {
		t.Errorf("there are %v, and tested are %v; %v", files, tested, err)
	}
}

// images of the examples, and what the cluster has in their place.
var images = []struct {
	example *regexp.Regexp
	ours    string
}{
	{regexp.MustCompile(`image: mayfly/time-c:1`), "image: localhost/mayfly/time-c:1"},
	{regexp.MustCompile(`image: nginx:1\.28`), "image: localhost/mayfly/main:1"},
	{regexp.MustCompile(`image: curlimages/curl:8\.16\.0`), "image: localhost/mayfly/main:1"},
	{regexp.MustCompile(`( +)image: example/files:1.*`), "${1}image: localhost/mayfly/guests:1\n${1}command: [/http.wasm]"},
}

func (e *env) applyExample(file string) {
	e.Helper()
	text, err := os.ReadFile(filepath.Join(exampleDir, file))
	e.check(err)
	manifest := strings.ReplaceAll(string(text), "runtimeClassName: mayfly", "RUNTIME")
	for _, i := range images {
		manifest = i.example.ReplaceAllString(manifest, i.ours)
	}
	e.apply(manifest)
}

const tellsTime = `"language": "c"`

func examplePod(e *env) {
	e.ready("clock")
	out, errs, err := e.exec("clock", "nginx", "curl", "-sS", "--fail", "http://localhost/time")
	if err != nil {
		e.Fatalf("%v: %s", err, errs)
	}
	e.contains("the answer through nginx", out, tellsTime)
}

func exampleDeployment(e *env) {
	e.apply(podOf("client", "", mainWaits()))
	e.ready("client")
	e.eventually("all replicas are ready", func() bool {
		var d appsv1.Deployment
		e.check(e.resources.Get(e.ctx, "time", e.namespace, &d))
		return d.Status.ReadyReplicas == 2
	})
	var s corev1.Service
	e.check(e.resources.Get(e.ctx, "time", e.namespace, &s))
	e.eventually("the Service answers", func() bool { return e.status("client", "http://"+s.Spec.ClusterIP+"/") == "200" })
	e.contains("the answer", e.get("client", "http://"+s.Spec.ClusterIP+"/"), tellsTime)
}

func exampleJob(e *env) {
	e.eventually("the Job is complete", func() bool {
		var j batchv1.Job
		e.check(e.resources.Get(e.ctx, "report", e.namespace, &j))
		return j.Status.Succeeded == 1
	})
	e.contains("what it has found", e.kubectl("logs", "job/report", "-c", "report"), tellsTime)
}

func exampleNative(e *env) {
	e.eventually("the pod is done", func() bool { return e.pod("native").Status.Phase == corev1.PodSucceeded })
	for _, container := range []string{"first", "then"} {
		e.contains("what "+container+" has found", e.logs("native", container), tellsTime)
	}
}

func exampleRestricted(e *env) {
	e.kubectl("label", "namespace", e.namespace, "pod-security.kubernetes.io/enforce=restricted")
	e.kubectl("delete", "pod", "restricted", "--now")
	e.applyExample("restricted.yaml")
	e.ready("restricted")
	e.eventually("the main container has asked", func() bool { return strings.Contains(e.logs("restricted", "main"), tellsTime) })
}

func exampleConfigMap(e *env) {
	e.ready("settings")
	read := func() string { return e.get("settings", "http://localhost:8080/read?path=/settings/greeting") }
	e.equal("the greeting", read(), "hello")
	e.kubectl("patch", "configmap", "settings", "--patch", `{"data": {"greeting": "good morning"}}`)
	e.kubectl("annotate", "pod", "settings", "look=again") // else kubelet takes its time
	e.eventually("the next answer has the new greeting", func() bool { return read() == "good morning" })
}
