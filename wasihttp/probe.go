package wasihttp

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/internal/config"
	"github.com/mayfly-run/mayfly/internal/kubeprobe"
)

// What a probe is told, and by whom.
const (
	probeAnswerer = "engine"
	probeServes   = "the sidecar serves requests"
	probeStops    = "the container is stopping: requests in flight may finish"
)

// probeTime is how long a probe may take to come and its answer to go. kubelet itself has a second for both, by default.
const probeTime = time.Second

// isProbe reports whether r is a probe of kubelet's that the guest is not asked.
func (s *Server) isProbe(r *http.Request) bool {
	if s.config.Sidecar.Probe == config.ProbeGuest || !strings.HasPrefix(r.UserAgent(), kubeprobe.Agent) {
		return false
	}
	return r.Method == http.MethodGet && r.ContentLength == 0 || isHealthCheck(r)
}

// isHealthCheck reports whether r is one of gRPC's.
func isHealthCheck(r *http.Request) bool {
	return r.ProtoMajor == 2 && r.Method == http.MethodPost && r.URL.Path == kubeprobe.HealthCheck
}

// answerProbe answers a probe without an instance. It waits for nothing, not for the rest of the request either: that a sidecar has
// much to do is no reason to kill it, and who never ends a health check is to hold nobody up.
func (s *Server) answerProbe(w http.ResponseWriter, r *http.Request) {
	s.probes.Add(1)
	// Whoever says that it is a probe must not hold up an engine that is to sleep or to stop.
	end, rc := time.Now().Add(probeTime), http.NewResponseController(w)
	_ = rc.SetReadDeadline(end)
	_ = rc.SetWriteDeadline(end)
	ready := !s.draining.Load()
	h := w.Header()
	h.Set(kubeprobe.Field, probeAnswerer)
	if isHealthCheck(r) {
		h.Set("Content-Type", "application/grpc")
		h.Set(http.TrailerPrefix+"Grpc-Status", "0")
		_, _ = w.Write(kubeprobe.AppendHealth(nil, ready))
		return
	}
	text, status := probeServes, http.StatusOK
	if !ready {
		text, status = probeStops, http.StatusServiceUnavailable
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
