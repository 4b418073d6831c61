//go:build linux

package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

var orderScenarios = []scenario{
	{"a sidecar answers before the next container starts", answersBeforeNext, sidecar},
	{"sidecars among init containers answer those after them, and the main container", answersInit, sidecar},
	{"a command among init containers runs to its end before what comes after it", commandFirst, sidecar},
	{"a sidecar that cannot start holds up the init containers after it", holdsUp, sidecar},
}

// asksOnce is a script that asks each port of localhost once, with no second attempt.
func asksOnce(ports ...int) string {
	var b strings.Builder
	for _, p := range ports {
		fmt.Fprintf(&b, "curl -sS --fail --max-time %s http://localhost:%d/ || exit 1; ", curlPatience, p)
	}
	return b.String()
}

func answersBeforeNext(e *env) {
	// Each of several pods, as once may be luck.
	for i := range 3 {
		e.apply(podOf(fmt.Sprint("p", i), never, guest("one", "hello", "PORT=8080"), guest("two", "time-rust", "PORT=8081"), runs("main", asksOnce(8080, 8081))))
	}
	for i := range 3 {
		name := fmt.Sprint("p", i)
		e.eventually("the main container of "+name+" ends", func() bool { return e.exitCode(e.pod(name), "main") >= 0 })
		e.equal("its exit code; "+e.logs(name, "main"), e.exitCode(e.pod(name), "main"), 0)
	}
}

func answersInit(e *env) {
	e.apply(podOf("p", never+"initContainers:\n"+
		guest("one", "hello", "PORT=8080", "restartPolicy: Always")+
		runs("init", asksOnce(8080))+
		guest("two", "hello", "MAYFLY_LISTEN=:8081", "restartPolicy: Always", "startupProbe: {httpGet: {path: /, port: 8081}"+often+"}"),
		runs("main", asksOnce(8080, 8081))))
	e.succeeds("p")
}

func commandFirst(e *env) {
	e.apply(podOf("p", never+"initContainers:\n"+guest("work", "args", "MAYFLY_TRIGGER=command"), runs("main", "true")))
	e.succeeds("p")
	p := e.pod("p")
	work, main := e.container(p, "work").State.Terminated, e.container(p, "main").State.Terminated
	if main.StartedAt.Before(&work.FinishedAt) {
		e.Errorf("main started at %s, before %s", main.StartedAt, work.FinishedAt)
	}
}

func holdsUp(e *env) {
	e.apply(podOf("p", "initContainers:\n"+
		guest("side", "text", "PORT=8080", "restartPolicy: Always")+
		runs("init", "true"), mainWaits()))
	e.eventually("the sidecar has been tried twice", func() bool { return e.container(e.pod("p"), "side").RestartCount > 0 })
	p := e.pod("p")
	e.equal("the pod", p.Status.Phase, corev1.PodPending)
	if c := e.container(p, "init"); c.State.Waiting == nil {
		e.Errorf("an init container did not wait: %+v", c.State)
	}
}
