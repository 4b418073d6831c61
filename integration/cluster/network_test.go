//go:build linux

package cluster

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

var networkScenarios = []scenario{
	{"nginx and its sidecars answer one another over localhost", mixedPod, sidecar},
	{"a Service leads to a sidecar by the name of its port", serviceOfSidecar, sidecar},
	{"kubectl port-forward leads to a sidecar, to one on localhost only too", portForward, sidecar},
	{"a sidecar answers on every address of its pod, or on its loopback only", podAddresses, sidecar},
	{"a sidecar on the node's network answers there, and who comes second is told why", hostNetwork, sidecar},
	{"a port of the node leads to a sidecar", hostPort, sidecar},
}

func mixedPod(e *env) {
	e.apply(`
apiVersion: v1
kind: ConfigMap
metadata: {name: nginx}
data:
  nginx.conf: |
    error_log stderr;
    pid /tmp/nginx.pid;
    events {}
    http {
      access_log off;
      server {
        listen 80;
        location / { return 200 "nginx asked for $uri\n"; }
        location = /counter { proxy_pass http://localhost:8080/; }
        location = /time { proxy_pass http://127.0.0.1:8081/; }
      }
    }
---
` + podOf("mixed", "volumes: [{name: nginx, configMap: {name: nginx}}]",
		guest("counter", "counter", "PORT=8080", "resources: {limits: {memory: 64Mi}}"),
		guest("time", "time-rust", "PORT=8081"),
		guest("asks", "http", "PORT=8082"),
		`  - {name: main, image: localhost/mayfly/main:1, command: [nginx, -c, /conf/nginx.conf, -g, daemon off;], volumeMounts: [{name: nginx, mountPath: /conf}]}
`))
	e.ready("mixed")
	for range 2 {
		e.equal("a sidecar's answer", e.get("mixed", "http://localhost:8080/"), "1")
		e.equal("the same through nginx", e.get("mixed", "http://localhost/counter"), "1")
	}
	e.contains("another through nginx", e.get("mixed", "http://localhost/time"), `"language": "rust"`)
	e.equal("nginx through a sidecar", e.get("mixed", "http://localhost:8082/relay?url=http://localhost/here"), "nginx asked for /here")
	e.equal("a sidecar through nginx through a sidecar", e.get("mixed", "http://localhost:8082/relay?url=http://localhost/counter"), "1")
}

func serviceOfSidecar(e *env) {
	e.behindService(func(fields ...string) string {
		return guest("time", "time-c", "MAYFLY_LISTEN=:8080 MAYFLY_IDLE_TIMEOUT=1s", fields...)
	}, `"language": "c"`)
}

// behindService asks a container by its Service, at the Service's addresses of
// all families.
func (e *env) behindService(web serves, says string) {
	e.Helper()
	e.apply(podOf("server", "", web("ports: [{name: web, containerPort: 8080}]", "readinessProbe: {httpGet: {path: /, port: web}"+often+"}")) +
		podOf("client", "", mainWaits()) + `
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app: server}, ipFamilyPolicy: PreferDualStack, ports: [{port: 80, targetPort: web}]}
`)
	e.ready("client")
	e.ready("server")
	var s corev1.Service
	e.check(e.resources.Get(e.ctx, "server", e.namespace, &s))
	for _, ip := range s.Spec.ClusterIPs {
		url := "http://" + net.JoinHostPort(ip, "80") + "/"
		e.eventually("the Service has an endpoint", func() bool { return e.status("client", url) == "200" })
		e.contains("the answer", e.get("client", url), says)
	}
}

func portForward(e *env) {
	e.apply(podOf("server", "", guest("outside", "hello", "MAYFLY_LISTEN=:8080"), guest("inside", "counter", "PORT=8081")) + `
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: 8080}]}
`)
	e.ready("server")
	for _, tc := range []struct{ to, port, want string }{
		{"pod/server", "8080", "hello\n"},
		{"pod/server", "8081", "1\n"},
		{"service/server", "80", "hello\n"},
	} {
		e.forwarded(tc.to, tc.port, tc.want)
	}
}

// forwarded asks twice through kubectl port-forward.
func (e *env) forwarded(to, port, want string) {
	e.Helper()
	address, stop := e.forward(to, port)
	defer stop()
	for range 2 {
		e.equal("the answer of "+to+", port "+port, e.fetch("http://"+address+"/"), want)
	}
}

var forwarding = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) -> `)

// forward runs kubectl port-forward until stop, and returns the address on
// this machine.
func (e *env) forward(to, port string) (address string, stop func()) {
	e.Helper()
	cmd := e.command("port-forward", to, ":"+port)
	out, err := cmd.StdoutPipe()
	e.check(err)
	e.check(cmd.Start())
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // it may be gone
		_ = cmd.Wait()         // "signal: killed" is what was asked for
	})
	e.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	found := forwarding.FindStringSubmatch(line)
	if found == nil {
		e.Fatalf("kubectl port-forward says %q, %v", line, err)
	}
	return found[1], stop
}

// fetch asks for a URL from this machine.
func (e *env) fetch(url string) string {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	e.check(err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	e.check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	e.check(err)
	return string(text)
}

func podAddresses(e *env) {
	e.apply(podOf("server", "", guest("outside", "hello", "MAYFLY_LISTEN=:8080"), guest("inside", "counter", "PORT=8081"), mainWaits()) +
		podOf("client", "", mainWaits()))
	e.ready("client")
	server := e.ready("server")
	loopback := []string{"127.0.0.1"}
	// A pod has ::1 where its kernel has IPv6, whatever the cluster's addresses are.
	if strings.Contains(e.sh("server", "cat /proc/net/if_inet6 2>/dev/null || true"), " lo") {
		loopback = append(loopback, "::1")
	}
	for _, ip := range loopback {
		e.equal("the one outside, at "+ip, e.get("server", "http://"+net.JoinHostPort(ip, "8080")+"/"), "hello")
		e.equal("the one inside, at "+ip, e.get("server", "http://"+net.JoinHostPort(ip, "8081")+"/"), "1")
	}
	for _, ip := range server.Status.PodIPs {
		for _, from := range []string{"client", "server"} {
			e.equal("the one outside, at "+ip.IP, e.get(from, "http://"+net.JoinHostPort(ip.IP, "8080")+"/"), "hello")
			e.equal("the one inside, at "+ip.IP, e.status(from, "http://"+net.JoinHostPort(ip.IP, "8081")+"/"), "000")
		}
	}
}

func hostNetwork(e *env) {
	const port = "18090"
	pod := func(name, node string) string {
		return podOf(name, "hostNetwork: true\n"+node, guest("time", "counter", "MAYFLY_LISTEN=:"+port), mainWaits())
	}
	e.apply(pod("first", ""))
	first := e.ready("first")
	e.equal("the answer on localhost", e.get("first", "http://localhost:"+port+"/"), "1")
	e.equal("the answer on the node's address", e.get("first", "http://"+net.JoinHostPort(first.Status.HostIP, port)+"/"), "1")
	e.apply(pod("second", "nodeName: "+first.Spec.NodeName))
	e.eventually("the second is told why it does not start", func() bool {
		return strings.Contains(e.events("second"), "listen on 0.0.0.0:"+port+": address already in use in this pod: the pod has the node's network")
	})
	e.equal("the first answers on", e.get("first", "http://localhost:"+port+"/"), "1")
	e.kubectl("delete", "pod", "first", "--wait")
	e.kubectl("delete", "pod", "second", "--wait")
	e.apply(pod("third", "nodeName: "+first.Spec.NodeName))
	e.ready("third")
	e.equal("who comes after has the port", e.get("third", "http://localhost:"+port+"/"), "1")
}

func hostPort(e *env) {
	const port = 18091
	e.apply(podOf("server", "", guest("time", "hello", "MAYFLY_LISTEN=:8080", fmt.Sprintf("ports: [{containerPort: 8080, hostPort: %d}]", port))) +
		podOf("client", "", mainWaits()))
	e.ready("client")
	server := e.ready("server")
	e.equal("the answer", e.get("client", fmt.Sprintf("http://%s:%d/", server.Status.HostIP, port)), "hello")
}
