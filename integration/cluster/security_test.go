//go:build linux

package cluster

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	versions "k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/e2e-framework/klient/k8s"

	"github.com/mayfly-run/mayfly/integration/lab"
)

var securityScenarios = []scenario{
	{"a namespace that enforces the restricted standard has sidecars", restrictedPod, sidecar},
	{"a sidecar runs as whom its pod says", userOfSidecar, sidecar},
	{"a pod shares its process namespace, and its sidecar is one of many", sharedProcesses, sidecar},
	{"a pod has the node's processes, and its sidecar does not see them", hostProcesses, sidecar},
	{"kubectl debug puts a container beside a sidecar's processes", debugSidecar, sidecar},
	{"a guest has the ServiceAccount's token unless its pod does not want that", accountToken, sidecar},
	{"a pod has a user namespace", userNamespace, sidecar},
	{"a runtime class chooses nodes", classChoosesNodes, sidecar},
}

// restrictedContainer is what the restricted standard wants of a container,
// and the root filesystem, which it does not.
const restrictedContainer = "securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}"

// restrictedFields are what the restricted standard wants of a pod, and a
// volume.
const restrictedFields = `volumes: [{name: scratch, emptyDir: {}}]
securityContext: {runAsNonRoot: true, runAsUser: 12345, runAsGroup: 12346, fsGroup: 2000, supplementalGroups: [3000], seccompProfile: {type: RuntimeDefault}}
`

// confined is what the status of a process of such a pod says.
var confined = []string{"Uid:\t12345\t12345\t12345\t12345\n", "Gid:\t12346\t12346\t12346\t12346\n", "Groups:\t2000 3000",
	"CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"}

func restrictedPod(e *env) {
	e.kubectl("label", "namespace", e.namespace, "pod-security.kubernetes.io/enforce=restricted")
	scratch := "volumeMounts: [{name: scratch, mountPath: /scratch}]"
	err := e.tryApply(podOf("lax", "", guest("writer", "hello", "PORT=80")))
	if err == nil {
		e.Fatal("the namespace does not enforce anything")
	}
	e.apply(podOf("strict", "shareProcessNamespace: true\n"+restrictedFields, guest("writer", "write-file", "PORT=80 MAYFLY_IDLE_TIMEOUT="+setting(time.Second), restrictedContainer, scratch), mainWaits(restrictedContainer, scratch)))
	e.ready("strict")
	e.equal("a write to the volume", e.get("strict", "http://localhost/?path=/scratch/a&text=hello"), "wrote 5")
	e.equal("whose it is", strings.TrimSpace(e.sh("strict", "stat -c %u:%g /scratch/a")), "12345:2000")
	e.equal("a write to the image", e.status("strict", "http://localhost/?path=/data/a&text=x"), "403")
	for _, program := range []string{"init", "engine"} {
		status := e.sh("strict", "curl -s http://localhost/?path=/scratch/a >/dev/null; grep -lx 'Name:\t"+program+"' /proc/[0-9]*/status | xargs cat")
		e.contains(program, status, confined...)
	}
}

func userOfSidecar(e *env) {
	scratch := "volumeMounts: [{name: scratch, mountPath: /scratch}]"
	e.apply(podOf("users", "volumes: [{name: scratch, emptyDir: {}}]\nsecurityContext: {runAsUser: 1000, runAsGroup: 1000}\n",
		guest("pods", "write-file", "PORT=8081", scratch),
		guest("own", "write-file", "PORT=8082", scratch, "securityContext: {runAsUser: 2000}"),
		guest("root", "write-file", "PORT=8083", scratch, "securityContext: {runAsUser: 0}"),
		guest("privileged", "write-file", "PORT=8084", scratch, "securityContext: {privileged: true}"),
		mainWaits(scratch)) +
		podOf("image", "volumes: [{name: scratch, emptyDir: {}}]\nsecurityContext: {runAsNonRoot: true}\n",
			guest("own", "write-file", "PORT=8081", scratch), mainWaits(scratch, "securityContext: {runAsUser: 1000}")))
	e.ready("users")
	for port, want := range map[string]string{"8081": "1000:1000", "8082": "2000:1000", "8083": "0:1000", "8084": "1000:1000"} {
		e.get("users", "http://localhost:"+port+"/?path=/scratch/"+port+"&text=x")
		e.equal("who writes at "+port, strings.TrimSpace(e.sh("users", "stat -c %u:%g /scratch/"+port)), want)
	}
	e.ready("image")
	e.get("image", "http://localhost:8081/?path=/scratch/a&text=x")
	e.equal("the image's user", strings.TrimSpace(e.sh("image", "stat -c %u /scratch/a")), "65532")
}

func sharedProcesses(e *env) {
	e.apply(podOf("shared", "shareProcessNamespace: true", guest("lists", "list-dir", "PORT=8080"), mainWaits()))
	e.ready("shared")
	answers := func() {
		e.Helper()
		e.eventually("the sidecar answers", func() bool { return e.status("shared", "http://localhost:8080/?path=/data") == "200" })
	}
	// The numbers of the processes of a name; those that ended and are not buried have no arguments.
	const find = `find() { for p in /proc/[0-9]*; do grep -qx "Name:	$1" $p/status 2>/dev/null && [ -n "$(tr -d '\0' <$p/cmdline)" ] && echo ${p#/proc/}; done; }; `
	count := func(name string) string { return strings.TrimSpace(e.sh("shared", find+"find "+name+" | wc -l")) }
	answers()
	e.equal("holders, of which none is the first process", e.sh("shared", find+"[ $(find init) != 1 ] && find init | wc -l"), "1\n")

	e.sh("shared", find+"kill -9 $(find engine)")
	answers()
	e.equal("engines", count("engine"), "1")
	e.equal("restarts after the engine was killed", restarts(e.pod("shared")), int32(0))

	e.sh("shared", find+"kill -9 $(find init)")
	e.eventually("kubelet starts the container again", func() bool { return restarts(e.pod("shared")) == 1 })
	e.equal("exit code", firstStatus(e.pod("shared")).LastTerminationState.Terminated.ExitCode, int32(137))
	answers()
	e.equal("holders", count("init"), "1")
	e.equal("engines", count("engine"), "1")

	e.equal("processes that nobody buries", strings.TrimSpace(e.sh("shared", "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l")), "0")
	e.equal("what guests see of processes", e.status("shared", "http://localhost:8080/?path=/proc"), "404")
}

// restarts are those of the pod's first container.
func restarts(p *corev1.Pod) int32 { return firstStatus(p).RestartCount }

func firstStatus(p *corev1.Pod) corev1.ContainerStatus {
	return statusOf(p, p.Spec.Containers[0].Name)
}

// statusOf is the status of a container, an empty one before it has any.
func statusOf(p *corev1.Pod, container string) corev1.ContainerStatus {
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == container {
			return s
		}
	}
	return corev1.ContainerStatus{}
}

func hostProcesses(e *env) {
	e.apply(podOf("all", "hostPID: true\nhostIPC: true\n", guest("lists", "list-dir", "PORT=8080"), mainWaits()))
	e.ready("all")
	e.equal("the answer", e.status("all", "http://localhost:8080/?path=/data"), "200")
	e.contains("what the main container sees", e.sh("all", "cat /proc/[0-9]*/comm 2>/dev/null || true"), "kubelet\n", "engine\n")
	e.equal("what a guest sees", e.status("all", "http://localhost:8080/?path=/proc"), "404")
}

func debugSidecar(e *env) {
	e.apply(podOf("debugged", "", guest("time", "counter", "PORT=8080"), mainWaits()))
	e.debugs("debugged", "time", "init\n1\n")
	e.equal("the sidecar afterwards", e.get("debugged", "http://localhost:8080/"), "1")
}

// debugs has kubectl debug see which the first process of a container is, and
// ask it on port 8080.
func (e *env) debugs(pod, container, want string) {
	e.Helper()
	e.ready(pod)
	e.kubectl("debug", pod, "--image="+lab.BusyboxImage, "--target="+container, "--container=look", "--",
		"sh", "-c", "cat /proc/1/comm; wget -qO- localhost:8080")
	e.eventually("it has found the first process and asked it", func() bool {
		log, _, _ := e.tryKubectl("logs", pod, "-c", "look") // which may not have begun
		return log == want
	})
}

func accountToken(e *env) {
	const token = "http://localhost:8080/?path=/var/run/secrets/kubernetes.io/serviceaccount/token"
	e.apply(podOf("has", "", guest("reads", "read-file", "PORT=8080"), mainWaits()) +
		podOf("lacks", "automountServiceAccountToken: false", guest("reads", "read-file", "PORT=8080"), mainWaits()))
	e.ready("has")
	e.equal("parts of the token", strings.Count(e.get("has", token), "."), 2)
	e.ready("lacks")
	e.equal("the status without one", e.status("lacks", token), "404")
}

func userNamespace(e *env) {
	mounts := "volumeMounts: [{name: shared, mountPath: /shared}]"
	e.mapped(guest("counter", "counter", "PORT=80"),
		guest("writes", "write-file", "MAYFLY_LISTEN=unix:/shared/socket", mounts),
		mainWaits(mounts))
	e.equal("the answer", e.get("mapped", "http://localhost/"), "1")
	e.equal("a write, asked for on a unix socket", e.sh("mapped", "curl -sS --fail-with-body --unix-socket /shared/socket 'http://localhost/?path=/shared/a&text=hello'"), "wrote 5\n")
	e.equal("whose the file is in the pod", e.sh("mapped", "stat -c %u /shared/a"), "65532\n")
}

// mapped starts the pod mapped, which has a user namespace. It is for nodes
// whose kernel and containerd can.
func (e *env) mapped(containers ...string) {
	e.Helper()
	if !e.canHaveUserNamespaces() {
		e.Skip("no node of this cluster has user namespaces for the runtime " + e.runtime + ", and Linux " + mapsMemory.String())
	}
	e.apply(podOf("mapped", "hostUsers: false\nvolumes: [{name: shared, emptyDir: {}}]\n", containers...))
	refused := func() bool {
		events := e.events("mapped")
		// A node that is a container itself may have a kernel that can, and not be allowed to.
		return strings.Contains(events, "runtimeoptions.v1.Options") || e.cluster == nil && strings.Contains(events, "FailedCreatePodSandBox")
	}
	e.eventually("the pod is ready, or refused", func() bool { return ready(e.pod("mapped")) || refused() })
	if !ready(e.pod("mapped")) {
		e.Skip("the node refuses, as it does with runc, or containerd's configuration has options for the runtime:\n" + e.events("mapped"))
	}
	e.contains("root's number on the node", e.sh("mapped", "cat /proc/self/uid_map"), "65536")
}

// mapsMemory is the first Linux that gives a user namespace its numbers in file systems in memory, which pods' tokens are in.
var mapsMemory = versions.MustParseGeneric("6.3")

func (e *env) canHaveUserNamespaces() bool {
	e.Helper()
	var class nodev1.RuntimeClass // the zero one is containerd's default
	if e.runtime != "" {
		e.check(e.resources.Get(e.ctx, e.runtime, "", &class))
	}
	var nodes corev1.NodeList
	e.check(e.resources.List(e.ctx, &nodes))
	for _, n := range nodes.Items {
		if versions.MustParseGeneric(n.Status.NodeInfo.KernelVersion).LessThan(mapsMemory) {
			continue
		}
		for _, h := range n.Status.RuntimeHandlers {
			if h.Name == class.Handler && h.Features != nil && h.Features.UserNamespaces != nil && *h.Features.UserNamespaces {
				return true
			}
		}
	}
	return false
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func classChoosesNodes(e *env) {
	var class nodev1.RuntimeClass
	e.check(e.resources.Get(e.ctx, e.runtime, "", &class))
	for name, label := range map[string]string{e.namespace + "-here": "kubernetes.io/os", e.namespace + "-nowhere": "mayfly.run/nowhere"} {
		chooses := &nodev1.RuntimeClass{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Handler:    class.Handler,
			Scheduling: &nodev1.Scheduling{NodeSelector: map[string]string{label: "linux"}},
		}
		e.check(e.resources.Create(e.ctx, chooses))
		e.Cleanup(func() { e.removes(chooses) })
		class := strings.TrimPrefix(name, e.namespace+"-")
		e.apply(strings.Replace(podOf(class, "", guest("time", "counter", "PORT=8080"), mainWaits()), "RUNTIME", "runtimeClassName: "+name, 1))
	}
	e.ready("here")
	e.equal("the answer", e.get("here", "http://localhost:8080/"), "1")
	e.eventually("no node is found for the other", func() bool {
		return strings.Contains(e.events("nowhere"), "didn't match Pod's node affinity/selector")
	})
}

// removes deletes what is in no namespace, after the scenario.
func (e *env) removes(o k8s.Object) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := e.resources.Delete(ctx, o); err != nil {
		e.Errorf("delete %s: %v", o.GetName(), err)
	}
}
