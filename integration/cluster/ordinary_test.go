//go:build linux

package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Pods without a sidecar: runc is the control. Whatever the sidecars' scenarios
// are about, these are about too.
var ordinaryScenarios = slices.Concat(ordinaryLifeScenarios, ordinaryNetworkScenarios, ordinaryKubectlScenarios, ordinaryJobScenarios,
	ordinaryResourceScenarios, ordinarySecurityScenarios, ordinaryVolumeScenarios)

var ordinaryLifeScenarios = []scenario{
	{"ordinary containers answer, log, can be worked in and go when told to", ordinaryLife, ordinary},
	{"an ordinary container that fails is started again and its end is told", ordinaryFailure, ordinary},
	{"an ordinary container that takes too much memory is OOMKilled", ordinaryMemory, ordinary},
	{"ordinary containers have probes and start in their order", ordinaryProbes, ordinary},
	{"ordinary containers are told to go, and killed when their grace is over", ordinaryGrace, ordinary},
	{"what is wrong with an ordinary container is told by its state and the events", ordinaryFaults, ordinary},
}

func ordinaryLife(e *env) {
	e.apply(podOf("p", "",
		fmt.Sprintf("  - {name: web, image: %q}\n", lab.MainImage),
		runs("main", "echo a line; trap 'exit 0' TERM; sleep 3600 & wait")))
	e.ready("p")
	e.equal("nginx", e.get("p", "http://localhost"), nginxSays)
	e.equal("the log", e.logs("p", "main"), "a line\n")
	cat := e.command("exec", "-i", "p", "-c", "main", "--", "cat")
	cat.Stdin = strings.NewReader("what is said\n")
	out, err := cat.CombinedOutput()
	e.check(err)
	e.equal("what cat was told", string(out), "what is said\n")
	_, _, err = e.exec("p", "main", "sh", "-c", "exit 7")
	e.contains("a command that fails", fmt.Sprint(err), "exit code 7")
	e.kubectl("delete", "pod", "p", "--wait=false")
	e.gone("p")
}

func ordinaryFailure(e *env) {
	e.apply(podOf("p", "", runs("main", "echo why >/dev/termination-log; exit 3")))
	e.eventually("the container is started again", func() bool { return e.container(e.pod("p"), "main").RestartCount > 0 })
	e.eventually("its end is told", func() bool {
		end := e.container(e.pod("p"), "main").LastTerminationState.Terminated
		return end != nil && end.ExitCode == 3 && end.Reason == "Error" && end.Message == "why\n"
	})
}

func ordinaryMemory(e *env) {
	e.apply(podOf("p", "restartPolicy: Never\n", runs("main", "x=x; while :; do x=$x$x$x$x; done", "resources: {limits: {memory: 32Mi}}")))
	e.eventually("the container has ended", func() bool { return e.container(e.pod("p"), "main").State.Terminated != nil })
	e.equal("the reason", e.container(e.pod("p"), "main").State.Terminated.Reason, "OOMKilled")
}

func ordinaryProbes(e *env) {
	const shared = "volumeMounts: [{name: shared, mountPath: /shared}]"
	e.apply(podOf("p", "volumes: [{name: shared, emptyDir: {}}]\ninitContainers:\n"+
		runs("first", "echo first >/shared/order", shared)+
		runs("beside", "echo beside >>/shared/order; touch /up; "+waits, "restartPolicy: Always", shared,
			"startupProbe: {exec: {command: [test, -e, /up]}"+often+"}"),
		runs("main", "echo main >>/shared/order; exec nginx -g 'daemon off;'", shared,
			"readinessProbe: {httpGet: {port: 80}"+often+"}",
			"livenessProbe: {exec: {command: [test, '!', -e, /dead]}, failureThreshold: 1"+often+"}")))
	e.ready("p")
	e.equal("the order", e.sh("p", "cat /shared/order"), "first\nbeside\nmain\n")
	e.sh("p", "touch /dead")
	e.eventually("kubelet starts the container again", func() bool { return e.container(e.pod("p"), "main").RestartCount == 1 })
	e.ready("p")
}

func ordinaryGrace(e *env) {
	manifest := podOf("p", never+"automountServiceAccountToken: false\n",
		runs("heeds", "trap 'echo told >/dev/termination-log; exit 7' TERM; echo up; sleep 3600 & wait"),
		runs("ignores", "trap '' TERM; echo up; sleep 3600"))
	// So that it is to be seen how the containers of a deleted pod ended.
	e.apply(strings.Replace(manifest, "metadata: {", "metadata: {finalizers: [mayfly.run/kept], ", 1))
	defer e.kubectl("patch", "pod", "p", "--type=merge", "--patch", `{"metadata": {"finalizers": null}}`)
	e.ready("p")
	e.eventually("both are up", func() bool { return e.logs("p", "heeds") == "up\n" && e.logs("p", "ignores") == "up\n" })
	e.kubectl("delete", "pod", "p", "--wait=false", "--grace-period=2")
	e.eventually("both containers have ended", func() bool {
		return e.exitCode(e.pod("p"), "heeds") >= 0 && e.exitCode(e.pod("p"), "ignores") >= 0
	})
	e.equal("the exit code of the one that heeds", e.exitCode(e.pod("p"), "heeds"), 7)
	e.equal("the exit code of the one that was killed", e.exitCode(e.pod("p"), "ignores"), 137)
	e.equal("what it said at its end", e.container(e.pod("p"), "heeds").State.Terminated.Message, "told\n")
	var kinds []string
	e.eventually("kubelet's last event is there", func() bool {
		kinds = nil
		for line := range strings.Lines(e.events("p")) {
			kind, _, _ := strings.Cut(line, ":")
			kinds = append(kinds, kind)
		}
		slices.Sort(kinds)
		kinds = slices.Compact(kinds)
		return slices.Contains(kinds, "Normal Killing")
	})
	e.equal("kinds of events", strings.Join(kinds, ", "), "Normal Created, Normal Killing, Normal Pulled, Normal Scheduled, Normal Started")
}

func ordinaryFaults(e *env) {
	faults := []struct{ name, container, reason, event string }{
		{"no-image", "image: localhost/mayfly/none:1, imagePullPolicy: Never", "ErrImageNeverPull", "Warning ErrImageNeverPull: "},
		{"no-registry", "image: 'localhost:1/none:1', imagePullPolicy: Always", "ErrImagePull|ImagePullBackOff", "Warning Failed: Failed to pull image"},
		{"no-command", "command: [/nowhere]", "StartError", `exec: "/nowhere": stat /nowhere: no such file or directory`},
		{"no-program", "command: [/etc/passwd]", "StartError", `exec: "/etc/passwd": permission denied`},
		{"no-directory", "workingDir: /etc/passwd", "StartError", "/etc/passwd: not a directory"},
		{"no-setting", "envFrom: [{configMapRef: {name: none}}]", "CreateContainerConfigError", `configmap "none" not found`},
		{"root", "securityContext: {runAsNonRoot: true}", "CreateContainerConfigError", "container has runAsNonRoot and image will run as root"},
		{"no-hook", "lifecycle: {postStart: {exec: {command: [/nowhere]}}}", "", "Warning FailedPostStartHook: "},
	}
	var containers []string
	for _, f := range faults {
		if !strings.HasPrefix(f.container, "image:") {
			f.container = fmt.Sprintf("image: %q, ", lab.MainImage) + f.container
		}
		containers = append(containers, fmt.Sprintf("  - {name: %s, %s}\n", f.name, f.container))
	}
	e.apply(podOf("p", never, append(containers, mainWaits())...))
	for _, f := range faults {
		e.eventually("the state of "+f.name+" is "+f.reason+", and it is in the events", func() bool {
			state := e.container(e.pod("p"), f.name).State
			reason := ""
			if state.Waiting != nil {
				reason = state.Waiting.Reason
			} else if state.Terminated != nil {
				reason = state.Terminated.Reason
			}
			return (f.reason == "" || slices.Contains(strings.Split(f.reason, "|"), reason)) && strings.Contains(e.events("p"), f.event)
		})
	}
	e.equal("the exit code of what was not started", e.exitCode(e.pod("p"), "no-command"), 128)
	e.eventually("the container beside them runs", func() bool { return e.container(e.pod("p"), "main").State.Running != nil })
}
