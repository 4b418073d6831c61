//go:build linux

package cluster

import (
	"fmt"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// Pods without a sidecar: runc is the control.
var ordinaryScenarios = []scenario{
	{"ordinary containers answer, log, can be worked in and go when told to", ordinaryLife, ordinary},
	{"an ordinary container that fails is started again and its end is told", ordinaryFailure, ordinary},
	{"an ordinary container that takes too much memory is OOMKilled", ordinaryMemory, ordinary},
	{"ordinary containers have probes and start in their order", ordinaryProbes, ordinary},
}

// linux is an ordinary container of a manifest.
func linux(name, script string, fields ...string) string {
	return fmt.Sprintf("  - {name: %s, image: %q, command: [sh, -c, %q]%s}\n", name, lab.MainImage, script, more(fields))
}

func ordinaryLife(e *env) {
	e.apply(podOf("p", "",
		fmt.Sprintf("  - {name: web, image: %q}\n", lab.MainImage),
		linux("main", "echo a line; trap 'exit 0' TERM; sleep 3600 & wait")))
	e.ready("p")
	e.contains("nginx", e.get("p", "http://localhost"), "nginx is the main container")
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
	e.apply(podOf("p", "", linux("main", "echo why >/dev/termination-log; exit 3")))
	e.eventually("the container is started again", func() bool { return e.container(e.pod("p"), "main").RestartCount > 0 })
	e.eventually("its end is told", func() bool {
		end := e.container(e.pod("p"), "main").LastTerminationState.Terminated
		return end != nil && end.ExitCode == 3 && end.Reason == "Error" && end.Message == "why\n"
	})
}

func ordinaryMemory(e *env) {
	e.apply(podOf("p", "restartPolicy: Never\n", linux("main", "x=x; while :; do x=$x$x$x$x; done", "resources: {limits: {memory: 32Mi}}")))
	e.eventually("the container has ended", func() bool { return e.container(e.pod("p"), "main").State.Terminated != nil })
	e.equal("the reason", e.container(e.pod("p"), "main").State.Terminated.Reason, "OOMKilled")
}

func ordinaryProbes(e *env) {
	const shared = "volumeMounts: [{name: shared, mountPath: /shared}]"
	e.apply(podOf("p", "volumes: [{name: shared, emptyDir: {}}]\ninitContainers:\n"+
		linux("first", "echo first >/shared/order", shared)+
		linux("beside", "echo beside >>/shared/order; touch /up; trap exit TERM; sleep 3600 & wait", "restartPolicy: Always", shared,
			"startupProbe: {exec: {command: [test, -e, /up]}, periodSeconds: 1}"),
		linux("main", "echo main >>/shared/order; exec nginx -g 'daemon off;'", shared,
			"readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}",
			"livenessProbe: {exec: {command: [test, '!', -e, /dead]}, periodSeconds: 1, failureThreshold: 1}")))
	e.ready("p")
	e.equal("the order", e.sh("p", "cat /shared/order"), "first\nbeside\nmain\n")
	e.sh("p", "touch /dead")
	e.eventually("kubelet starts the container again", func() bool { return e.container(e.pod("p"), "main").RestartCount == 1 })
	e.ready("p")
}
