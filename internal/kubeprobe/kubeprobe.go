// Package kubeprobe knows kubelet's probes by the first bytes of their connections, and has the answers to them.
//
// kubelet asks by HTTP/1.1, or by gRPC's health protocol over HTTP/2 in the clear, and says in User-Agent that it is a probe. A
// sidecar without engine answers by this package: nobody is woken. It is no HTTP server: it reads one request, the shape kubelet's own client gives
// it, and what is not surely that is not a probe. TCP probes say nothing and need no answer.
//
// The holder links this package into a process that should weigh nothing: it imports next to nothing and allocates nothing.
package kubeprobe

// MaxHead is how much of a connection is looked at, in bytes. A request that is longer is no probe.
const MaxHead = 4096

const (
	// Agent is what the User-Agent of a probe begins with.
	Agent = "kube-probe/"
	// HealthCheck is the path of gRPC's health check.
	HealthCheck = "/grpc.health.v1.Health/Check"
	// Field is the header field that says who answered a probe, in the form gRPC wants.
	Field = "mayfly-probe"
)

// Kind is what a connection turns out to be.
type Kind int

const (
	// More means that what has come may yet become a probe.
	More Kind = iota
	// Greet is More from an HTTP/2 client that may be waiting for [Settings]: gRPC's sends no request before it has them.
	Greet
	// Other is what is no probe.
	Other
	// HTTP is a whole probe, answered by [AppendHTTP].
	HTTP
	// GRPC is a whole probe, answered by [AppendGRPC].
	GRPC
)

// Read says what a connection is that began with head, and for GRPC on which stream the request came.
func Read(head []byte) (kind Kind, stream uint32) {
	if common := min(len(head), len(preface)); string(head[:common]) == preface[:common] {
		kind, stream = readHTTP2(head)
	} else {
		kind = readHTTP1(head)
	}
	if kind < Other && len(head) >= MaxHead {
		kind = Other
	}
	return kind, stream
}
