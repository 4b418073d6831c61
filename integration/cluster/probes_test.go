//go:build linux

package cluster

import (
	"encoding/json"
	"strings"
	"time"
)

var probeScenarios = []scenario{
	{"sidecars under probes of all kinds sleep, and their pod stays ready", probesOfAllKinds, sidecar},
	{"a probe is a request like any other where the pod wants that", probesForTheGuest, sidecar},
	{"a sidecar whose engines fail is not ready until one serves again", probesOfFailing, sidecar},
	{"a sidecar that has no instance to spare is alive", probesOfBusy, sidecar},
}

// top is what mayfly top says of a sidecar. It wakes nobody.
type top struct {
	Doing                  string
	Ready                  bool
	Engines, Wakes, Probes int
	Failures               int
	LastEngine             struct{ Requests, InFlight, Probes, Limit int }
	Memory                 struct{ Holder, Engine, Container, Limit uint64 }
}

func (e *env) top(pod, container string) top {
	e.Helper()
	out, errs, err := e.exec(pod, container, "mayfly", "top", "-o", "json")
	if err != nil {
		e.Fatalf("mayfly top in %s: %v: %s%s", container, err, out, errs)
	}
	var t top
	if err := json.Unmarshal([]byte(out), &t); err != nil {
		e.Fatalf("mayfly top in %s: %v: %s", container, err, out)
	}
	return t
}

// allRestarts is how often containers of a pod were started again.
func (e *env) allRestarts(pod string) int {
	e.Helper()
	n := 0
	for _, c := range e.pod(pod).Status.ContainerStatuses {
		n += int(c.RestartCount)
	}
	return n
}

// often are fields of a probe that comes often and puts up with a busy machine.
const often = ", periodSeconds: 1, timeoutSeconds: 20"

func probesOfAllKinds(e *env) {
	probes := func(handler string) []string {
		return []string{
			"readinessProbe: {" + handler + often + "}",
			"livenessProbe: {" + handler + often + "}",
			"startupProbe: {" + handler + often + "}",
		}
	}
	settings := "MAYFLY_IDLE_TIMEOUT=" + setting(time.Second) + " MAYFLY_LISTEN="
	e.apply(podOf("probed", "",
		guest("http", "hello", settings+":8080", probes("httpGet: {path: /nowhere, port: 8080}")...),
		guest("tcp", "hello", settings+":8081", probes("tcpSocket: {port: 8081}")...),
		guest("grpc", "hello", settings+":8082", probes("grpc: {port: 8082, service: liveness}")...),
		// On localhost, where kubelet does not come.
		guest("exec", "hello", settings+"localhost:8083", probes("exec: {command: [mayfly, probe]}")...),
		mainWaits()))
	e.ready("probed")
	sidecars := []string{"http", "tcp", "grpc", "exec"}
	for _, c := range sidecars {
		e.eventually("the engine of "+c+" leaves", func() bool { return e.top("probed", c).Doing == "asleep" })
	}
	for _, c := range []string{"http", "grpc"} {
		already := e.top("probed", c).Probes
		e.eventually("the holder of "+c+" answers probes", func() bool { return e.top("probed", c).Probes > already+5 })
	}
	for _, c := range sidecars {
		e.equal("engines of "+c, e.top("probed", c).Engines, 1)
	}
	e.contains("what a probe is told while the engine sleeps", e.sh("probed", "curl -sSi -A kube-probe/1.36 localhost:8080"),
		"200 OK", "Mayfly-Probe: holder", "sleeps")
	e.equal("an answer to somebody else", e.get("probed", "http://localhost:8080/"), "hello")
	e.contains("what a probe is told while it is awake", e.sh("probed", "curl -sSi -A kube-probe/1.36 localhost:8080"),
		"200 OK", "Mayfly-Probe: engine", "serves")
	e.equal("an answer on localhost", e.get("probed", "http://localhost:8083/"), "hello")
	for _, c := range []string{"http", "exec"} {
		e.eventually("the engine of "+c+" leaves again", func() bool { return e.top("probed", c).Doing == "asleep" })
		e.equal("engines of "+c, e.top("probed", c).Engines, 2)
	}
	e.ready("probed")
	e.equal("restarts", e.allRestarts("probed"), 0)
	if text := e.events("probed"); strings.Contains(text, "Unhealthy") {
		e.Errorf("probes have failed:\n%s", text)
	}
}

func probesForTheGuest(e *env) {
	annotated := strings.Replace(podOf("asked", "",
		guest("all", "hello", "MAYFLY_LISTEN=:8080 MAYFLY_IDLE_TIMEOUT=100ms", "readinessProbe: {httpGet: {path: /, port: 8080}"+often+"}"),
		guest("but", "hello", "MAYFLY_LISTEN=:8081 MAYFLY_IDLE_TIMEOUT=100ms MAYFLY_PROBE=mayfly",
			"readinessProbe: {httpGet: {path: /, port: 8081}"+often+"}"),
	), "metadata: {", "metadata: {annotations: {mayfly.run/probe: guest}, ", 1)
	e.apply(annotated)
	e.ready("asked")
	e.eventually("probes wake the sidecar", func() bool { return e.top("asked", "all").Wakes > 2 })
	but := e.top("asked", "but")
	e.equal("engines of the one that says otherwise", but.Engines, 1)
	e.equal("probes that were not answered for the guest", e.top("asked", "all").Probes, 0)
}

func probesOfFailing(e *env) {
	e.apply(podOf("failing", "shareProcessNamespace: true",
		guest("side", "hello", "MAYFLY_LISTEN=:8080 MAYFLY_IDLE_TIMEOUT=1s",
			"readinessProbe: {httpGet: {path: /, port: 8080}, failureThreshold: 1"+often+"}"),
		mainWaits()))
	e.ready("failing")
	isReady := func() bool { return e.pod("failing").Status.ContainerStatuses[index(e, "failing", "side")].Ready }
	e.sh("failing", `touch /tmp/on; (while [ -e /tmp/on ]; do curl -m 1 localhost:8080; sleep 0.1; done) >/dev/null 2>&1 & (while [ -e /tmp/on ]; do
		for p in /proc/[0-9]*; do
			case $(tr '\0' ' ' < $p/cmdline 2>/dev/null) in mayfly-engine*) kill -9 ${p#/proc/};; esac
		done
	done) >/dev/null 2>&1 &`)
	e.eventually("the sidecar is not ready while its engines are killed", func() bool { return !isReady() })
	e.eventually("mayfly probe says why", func() bool {
		out, _, err := e.exec("failing", "side", "mayfly", "probe")
		return err != nil && strings.Contains(out, "fails: the engine was killed")
	})
	e.eventually("an event says so", func() bool {
		return strings.Contains(e.events("failing"), "Readiness probe failed: HTTP probe failed with statuscode: 503")
	})
	e.sh("failing", "rm /tmp/on")
	e.eventually("it is ready again, though nobody sends requests", isReady)
	e.equal("restarts", e.allRestarts("failing"), 0)
}

// index is where the container stands in the pod's status.
func index(e *env, pod, container string) int {
	e.Helper()
	for i, c := range e.pod(pod).Status.ContainerStatuses {
		if c.Name == container {
			return i
		}
	}
	e.Fatalf("pod %s has no container %s", pod, container)
	return -1
}

func probesOfBusy(e *env) {
	e.apply(podOf("busy", "",
		guest("side", "sleep", "MAYFLY_LISTEN=:8080 MAYFLY_MAX_INSTANCES=1 MAYFLY_TIMEOUT=1h",
			"livenessProbe: {httpGet: {path: /, port: 8080}"+often+"}"),
		mainWaits()))
	e.ready("busy")
	e.sh("busy", `(for i in 1 2 3; do curl -sS 'localhost:8080/?ms=1000000' & done) >/dev/null 2>&1`)
	e.eventually("there are more requests than instances", func() bool { return e.top("busy", "side").LastEngine.InFlight == 3 })
	already := e.top("busy", "side").LastEngine.Probes
	e.eventually("probes are answered", func() bool { return e.top("busy", "side").LastEngine.Probes > already+3 })
	e.equal("requests in flight meanwhile", e.top("busy", "side").LastEngine.InFlight, 3)
	e.equal("restarts", e.allRestarts("busy"), 0)
}
