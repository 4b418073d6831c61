//go:build linux

package cluster

var nodeScenarios = []scenario{
	{"a pod has a container and a sidecar", pair, sidecar},
}

func pair(e *env) {
	e.apply(`
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  RUNTIME
  containers:
  - {name: main, image: localhost/mayfly/main:1}
  - {name: side, image: localhost/mayfly/time-c:1, env: [{name: PORT, value: "8080"}]}
`)
	e.ready("p")
	e.contains("the answer", e.get("p", "http://localhost:8080/"), `"time":`)
	e.logs("p", "side")
}
