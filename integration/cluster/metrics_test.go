//go:build linux

package cluster

import (
	"context"
	"os"
	"regexp"
	"strconv"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// autoscaled is a Deployment whose pods have a main container that does nothing
// and a sidecar that works, and an autoscaler that looks at the sidecar alone.
func autoscaled() string {
	app := guest("app", "compute", "PORT=8080 MAYFLY_LISTEN=:8080 MAYFLY_TIMEOUT=60s", limits("cpu: 100m, memory: 32Mi", "memory: 64Mi"))
	return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: work}
spec:
  selector: {matchLabels: {app: work}}
  template:
    metadata: {labels: {app: work}}
    spec:
      RUNTIME
      terminationGracePeriodSeconds: 1
      containers:
` + indent(indent(mainWaits()+app)) + `---
apiVersion: v1
kind: Service
metadata: {name: work}
spec: {selector: {app: work}, ports: [{port: 8080}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: work}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: work}
  maxReplicas: 3
  metrics: [{type: ContainerResource, containerResource: {name: cpu, container: app, target: {type: Utilization, averageUtilization: 50}}}]
`
}

// usageOf reads a line of kubectl top.
var usageOf = regexp.MustCompile(`(?m)^work-\S+ +(\w+) +(\d+)m +(\d+)Mi`)

func autoscales(e *env) {
	cache, err := lab.OpenCache(lab.NewProgress(os.Stderr))
	e.check(err)
	e.check(e.cluster.StartMetrics(e.ctx, cache))
	e.Cleanup(func() { e.check(e.cluster.StopMetrics(context.Background())) })
	e.apply(autoscaled())
	e.apply(podOf("asks", "", mainWaits()))
	e.ready("asks")
	address := e.kubectl("get", "service", "work", "-o", "jsonpath={.spec.clusterIP}")
	e.eventually("the sidecar answers", func() bool { return e.status("asks", "http://"+address+":8080/?millions=1") == "200" })
	e.sh("asks", `(while [ ! -e /tmp/stop ]; do curl -s -o /dev/null --max-time 60 "http://`+address+`:8080/?millions=1000"; done) >/dev/null 2>&1 &`)

	e.eventually("kubectl top shows what the sidecar uses", func() bool {
		out, _, _ := e.tryKubectl("top", "pod", "--containers")
		used := map[string]int{}
		for _, m := range usageOf.FindAllStringSubmatch(out, -1) {
			n, err := strconv.Atoi(m[2])
			e.check(err)
			used[m[1]] = max(used[m[1]], n)
		}
		if used["app"] < 100 {
			return false
		}
		e.equal("what the main container uses beside it, in thousandths of a processor, is less than a tenth", used["main"]*10 < used["app"], true)
		e.Log(out)
		return true
	})
	e.eventually("the autoscaler adds pods", func() bool { return len(e.podsOf("app", "work")) > 1 })
	e.Log(e.kubectl("get", "hpa", "work"))
	e.Log(e.kubectl("describe", "hpa", "work"))
	e.sh("asks", "touch /tmp/stop")
}
