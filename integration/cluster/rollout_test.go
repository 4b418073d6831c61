//go:build linux

package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-run/mayfly/integration/lab"
)

var rolloutScenarios = []scenario{
	{"an update and scaling lose no request to a sidecar behind a Service", func(e *env) { e.rollout(helloServes, 3, 8) }, sidecar},
	{"an update and scaling to 20 lose no request to a sidecar behind a Service", func(e *env) { e.rollout(helloServes, 3, 20) }, sidecar | long},
	{"a request in flight is answered before its pod is gone", deletedInFlight, sidecar},
}

// helloServes is a sidecar that serves on port 8080.
func helloServes(fields ...string) string {
	return guest("side", "hello", "MAYFLY_LISTEN=:8080", fields...)
}

// served is a Deployment whose pods are one such container each, behind a
// Service.
//
// kubelet stops a container in the moment in which the pod begins to leave its Service. preStop keeps it as it is until
// nobody is led to it.
func served(web serves, name string, replicas int) string {
	container := web("readinessProbe: {httpGet: {path: /, port: 8080}"+often+"}", fmt.Sprintf("lifecycle: {preStop: {sleep: {seconds: %d}}}", seconds(5)))
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: %s}
spec:
  selector: {app: %[1]s}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: %d
  selector: {matchLabels: {app: %[1]s}}
`, name, replicas) + labelled(strings.Replace(templateOf("", container), "PeriodSeconds: 5", fmt.Sprint("PeriodSeconds: ", seconds(15)), 1), name) + "---\n"
}

// labelled gives the pods of a manifest an app's label.
func labelled(template, app string) string {
	return strings.Replace(template, "metadata: {", "metadata: {labels: {app: "+app+"}, ", 1)
}

// askingClients ask the Service web all the time from its first answer on, one
// on a connection for each request and one on a connection that is kept, until
// /tmp/stop is there. They write the status of each answer.
func askingClients() string {
	rate := fmt.Sprintf("%d/m", time.Minute/lab.Patience(20*time.Millisecond))
	client := func(name, option string) string {
		return runs(name, `until curl -s --max-time `+fmt.Sprint(seconds(1))+` -o /dev/null "http://$WEB_SERVICE_HOST"; do sleep 0.1; done; curl -sS --rate `+rate+` --max-time `+curlPatience+` -o /dev/null -w '%{stderr}%{http_code}\n' `+option+` "http://$WEB_SERVICE_HOST/?[1-100000]" & `+
			`while [ ! -f /tmp/stop ]; do sleep 0.2; done; kill $!`)
	}
	return podOf("clients", never, client("fresh", "-H 'Connection: close'"), client("kept", ""))
}

func (e *env) rollout(web serves, few, many int) {
	e.Helper()
	scale := func(n int) {
		e.kubectl("scale", "deployment/web", "--replicas="+strconv.Itoa(n))
		e.kubectl("rollout", "status", "deployment/web")
		e.eventually(fmt.Sprint(n, " pods are left"), func() bool { return len(e.podsOf("app", "web")) == n })
	}
	e.apply(served(web, "web", few))
	e.kubectl("rollout", "status", "deployment/web")
	e.apply(askingClients())
	e.ready("clients")

	e.kubectl("rollout", "restart", "deployment/web")
	e.kubectl("rollout", "status", "deployment/web")
	scale(many)
	scale(few)

	for _, c := range []string{"fresh", "kept"} {
		_, _, err := e.exec("clients", c, "touch", "/tmp/stop")
		e.check(err)
	}
	e.eventually("the clients end", func() bool {
		return e.exitCode(e.pod("clients"), "fresh") >= 0 && e.exitCode(e.pod("clients"), "kept") >= 0
	})
	for _, c := range []string{"fresh", "kept"} {
		answers, good := map[string]int{}, 0
		lines := strings.Split(strings.TrimSpace(e.logs("clients", c)), "\n")
		for i, l := range lines[:len(lines)-1] { // the last was being written as the client ended
			answers[l]++
			if l == "200" && good == i {
				good++
			}
		}
		if answers["200"] < 50 || len(answers) != 1 {
			e.Errorf("the client with %s connections was answered %v, the first %d times well", c, answers, good)
		}
	}
}

func deletedInFlight(e *env) {
	e.apply(podOf("web", "", guest("side", "sleep", "MAYFLY_LISTEN=:8080 MAYFLY_TIMEOUT="+setting(30*time.Second)+" MAYFLY_DRAIN_TIMEOUT="+setting(25*time.Second))) + podOf("client", "", mainWaits()))
	e.ready("client")
	ip := e.ready("web").Status.PodIP
	var answer string
	var asked sync.WaitGroup
	asked.Go(func() { answer = e.status("client", sleeps(ip, 3*time.Second)) })
	e.eventually("the request is in flight", func() bool {
		return e.sh("client", "grep -c ':1F90 01' /proc/net/tcp || true") != "0\n" // port 8080, established
	})
	e.kubectl("delete", "pod", "web", "--wait=false", fmt.Sprint("--grace-period=", seconds(5)))
	asked.Wait()
	e.equal("the answer", answer, "200")
	e.eventually("the pod is gone", func() bool { return len(e.podsOf("app", "web")) == 0 })
}
