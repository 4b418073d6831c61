//go:build linux

package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var nodeScenarios = slices.Concat(ordinaryScenarios, []scenario{
	{"kubelet runs a sidecar in a static pod", staticPod, alone},
	{"containerd restarts and no request is lost", containerdRestarts, alone},
	{"kubelet restarts and no request is lost", kubeletRestarts, alone},
	{"containerd is upgraded from 1.7 under running pods", containerdUpgraded, alone},
	{"mayfly is upgraded under running pods", mayflyUpgraded, alone},
	{"pods come back when their node was without power", reboots, alone},
})

// pair is a pod with a main container and a sidecar.
func pair(name string) string {
	return podOf(name, "", mainWaits(), guest("side", "counter", "PORT=8080 MAYFLY_LISTEN=:8080"))
}

func staticPod(e *env) {
	file := filepath.Join(e.cluster.StaticPods(), "static.yaml")
	manifest := strings.NewReplacer("RUNTIME", "runtimeClassName: "+e.runtime, "metadata: {", "metadata: {namespace: "+e.namespace+", ").Replace(pair("static"))
	e.check(os.WriteFile(file, []byte(manifest), 0o644))
	e.Cleanup(func() { os.Remove(file) }) // it is gone if all went well

	name := "static-" + NodeName
	e.eventually("kubelet shows the pod", func() bool { return e.resources.Get(e.ctx, name, e.namespace, &corev1.Pod{}) == nil })
	e.ready(name)
	e.equal("the sidecar's answer", e.get(name, "http://localhost:8080"), "1")
	e.check(os.Remove(file))
	e.gone(name)
}

// gone waits until there is no such pod.
func (e *env) gone(name string) {
	e.Helper()
	e.eventually("pod "+name+" is gone", func() bool {
		return apierrors.IsNotFound(e.resources.Get(e.ctx, name, e.namespace, &corev1.Pod{}))
	})
}

func containerdRestarts(e *env) {
	e.apply(pair("p"))
	e.ready("p")
	l := e.load("p", 8080)
	e.cluster.Containerd.Kill()
	l.more(200)
	e.check(e.cluster.Containerd.Start(e.ctx))
	l.more(200)
	e.apply(pair("after"))
	e.ready("after")
	l.stop()
	e.undisturbed("p")
}

func kubeletRestarts(e *env) {
	e.apply(pair("p"))
	e.ready("p")
	l := e.load("p", 8080)
	e.cluster.KillKubelet()
	l.more(200)
	e.check(e.cluster.StartKubelet())
	e.apply(pair("after"))
	e.ready("after")
	l.stop()
	e.undisturbed("p")
}

// undisturbed sees to it that the pod is as it was made, that a person can work
// with it, and that it goes when it is told to.
func (e *env) undisturbed(pod string) {
	e.Helper()
	for _, st := range e.pod(pod).Status.ContainerStatuses {
		if st.RestartCount > 0 {
			e.Fatalf("container %s was restarted: %v", st.Name, st.LastTerminationState)
		}
	}
	e.equal("the sidecar's answer", e.get(pod, "http://localhost:8080"), "1")
	e.logs(pod, "side")
	e.kubectl("delete", "pod", pod, "--wait=false")
	e.gone(pod)
}

func reboots(e *env) {
	e.apply(pair("plain"))
	e.apply(podOf("native", "initContainers:\n"+guest("side", "counter", "PORT=8080", "restartPolicy: Always"), mainWaits()))
	e.ready("plain")
	e.ready("native")
	e.check(e.cluster.Reboot(e.ctx))
	for _, pod := range []string{"plain", "native"} {
		e.eventually("the containers of pod "+pod+" have started again", func() bool {
			st := e.pod(pod).Status
			for _, c := range append(st.InitContainerStatuses, st.ContainerStatuses...) {
				if c.RestartCount == 0 || !c.Ready {
					return false
				}
			}
			return true
		})
		e.ready(pod)
		e.equal("the answer of "+pod+"'s sidecar", e.get(pod, "http://localhost:8080"), "1")
	}
	for _, pod := range []string{"plain", "native"} {
		e.kubectl("delete", "pod", pod, "--wait=false")
	}
	e.gone("plain")
	e.gone("native")
}
