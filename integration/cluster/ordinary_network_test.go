//go:build linux

package cluster

import (
	"fmt"
	"net"
)

var ordinaryNetworkScenarios = []scenario{
	{"a Service leads to an ordinary container on addresses of all families", ordinaryService, ordinary},
	{"kubectl port-forward, a port of the node and its network lead to ordinary containers", ordinaryPorts, ordinary},
	{"an update and scaling lose no request to nginx behind a Service", func(e *env) { e.rollout(nginxServes, 1, 3) }, ordinary},
}

// nginxServes is an nginx that serves on port 8080.
func nginxServes(fields ...string) string { return nginx("web", 8080, fields...) }

func ordinaryService(e *env) { e.behindService(nginxServes, nginxSays) }

func ordinaryPorts(e *env) {
	port, hostPort := 18092, 18093
	if e.runtime != "" { // the control runs beside it
		port, hostPort = 18094, 18095
	}
	serves := fmt.Sprintf("readinessProbe: {httpGet: {port: %d}"+often+"}", port)
	e.apply(podOf("here", "hostNetwork: true\n", nginx("web", port, serves)) +
		podOf("server", "", nginxServes(fmt.Sprintf("ports: [{containerPort: 8080, hostPort: %d}]", hostPort), "readinessProbe: {httpGet: {port: 8080}"+often+"}")) +
		podOf("client", "", mainWaits()))
	e.ready("client")
	server, here := e.ready("server"), e.ready("here")
	e.forwarded("pod/server", "8080", nginxSays+"\n")
	for _, ip := range server.Status.PodIPs {
		e.equal("the answer at "+ip.IP, e.get("client", "http://"+net.JoinHostPort(ip.IP, "8080")), nginxSays)
	}
	e.equal("the answer at the node's port", e.get("client", fmt.Sprintf("http://%s:%d", server.Status.HostIP, hostPort)), nginxSays)
	e.equal("the answer on the node's network", e.get("client", fmt.Sprintf("http://%s:%d", here.Status.HostIP, port)), nginxSays)
}
