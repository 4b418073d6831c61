//go:build linux

package cluster

import "strings"

var ordinarySecurityScenarios = []scenario{
	{"an ordinary container is confined as the restricted standard and its pod want", ordinaryRestricted, ordinary},
	{"ordinary containers share their pod's process namespace, and one of them may be killed", ordinaryProcesses, ordinary},
	{"kubectl debug puts a container beside an ordinary container's processes", ordinaryDebug, ordinary},
	{"a pod of ordinary containers has a user namespace", ordinaryUserNamespace, ordinary},
}

func ordinaryRestricted(e *env) {
	e.kubectl("label", "namespace", e.namespace, "pod-security.kubernetes.io/enforce=restricted")
	err := e.tryApply(podOf("lax", "", mainWaits()))
	if err == nil {
		e.Fatal("the namespace does not enforce anything")
	}
	scratch := "volumeMounts: [{name: scratch, mountPath: /scratch}]"
	e.apply(podOf("strict", restrictedFields, mainWaits(restrictedContainer, scratch)))
	e.ready("strict")
	for _, process := range []string{"1", "self"} {
		e.contains("process "+process, e.sh("strict", "cat /proc/"+process+"/status"), confined...)
	}
	e.equal("whose a file in the volume is", e.sh("strict", "touch /scratch/a; stat -c %u:%g /scratch/a"), "12345:2000\n")
	e.contains("a write to the image", e.sh("strict", "touch /a 2>&1 || true"), "Read-only file system")
	e.contains("a mount", e.sh("strict", "mount -t tmpfs none /tmp 2>&1 || true"), "denied")
}

func ordinaryProcesses(e *env) {
	e.apply(podOf("shared", "shareProcessNamespace: true\n", mainWaits(), runs("other", "exec tail -f /dev/null")))
	e.ready("shared")
	e.equal("the first process", e.sh("shared", "cat /proc/1/comm"), "pause\n")
	e.sh("shared", "kill -9 $(pidof tail)")
	e.eventually("kubelet starts the container again", func() bool { return e.restarted(e.pod("shared"), "other") == 1 })
	e.equal("its exit code", e.container(e.pod("shared"), "other").LastTerminationState.Terminated.ExitCode, int32(137))
	e.ready("shared")
	e.equal("processes of its", len(strings.Fields(e.sh("shared", "pidof tail"))), 1)
	e.equal("restarts of the one beside it", e.restarted(e.pod("shared"), "main"), 0)
	e.equal("processes that nobody buries", e.sh("shared", "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"), "0\n")
}

func ordinaryDebug(e *env) {
	e.apply(podOf("debugged", "", nginxServes("readinessProbe: {httpGet: {port: 8080}"+often+"}"), mainWaits()))
	e.debugs("debugged", "web", "nginx\n"+nginxSays+"\n")
	e.equal("nginx afterwards", e.get("debugged", "http://localhost:8080"), nginxSays)
}

func ordinaryUserNamespace(e *env) {
	e.mapped(mainWaits("volumeMounts: [{name: shared, mountPath: /shared}]"))
	e.equal("whose a file is in the pod", e.sh("mapped", "touch /shared/a; stat -c %u /shared/a"), "0\n")
}
