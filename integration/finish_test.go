//go:build linux

package integration

import (
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// ofJob labels a pod as kubelet does one of a Job.
func ofJob(c *cri.PodSandboxConfig) {
	c.Labels = map[string]string{"io.kubernetes.pod.name": c.GetMetadata().GetName(), "batch.kubernetes.io/job-name": "j"}
}

// says annotates a pod.
func says(name, value string) func(*cri.PodSandboxConfig) {
	return func(c *cri.PodSandboxConfig) { c.Annotations = map[string]string{name: value} }
}

// endsIn is a main container that ends with this status when it was answered.
func endsIn(name, status string) lab.Spec {
	s := shell(name, "curl -sS --fail --max-time 20 http://localhost:8080/ || exit 99; exit "+status)
	s.Image = lab.MainImage
	return s
}

// finishes has no kubelet to ask which containers a pod has: those that are there count.
func finishes(e *env) {
	ordinary, succeeds, fails, named := e.pod(), e.pod(ofJob), e.pod(ofJob), e.pod(says("mayfly.run/exit-with-main", "app"))
	stays := ordinary.sidecar("hello", 8080)
	ordinary.run(endsIn("main", "0"))

	side := succeeds.sidecar("hello", 8080)
	first := succeeds.run(shell("first", "sleep 1000"))
	succeeds.run(endsIn("main", "0"))
	failed := fails.sidecar("hello", 8080)
	fails.run(endsIn("main", "3"))
	alone := named.sidecar("hello", 8080)
	named.main()
	named.run(endsIn("app", "0"))

	e.equal("exit code where the named container is done", alone.exited(), int32(0))
	e.equal("exit code where the main container failed", failed.exited(), int32(1))
	e.contains("the log", failed.log(), "not all of them succeeded: stopping")
	for what, c := range map[string]*container{"beside a main container that runs": side, "in a pod that is no Job's": stays} {
		st, err := c.Status(e.ctx)
		e.check(err)
		e.equal("the sidecar "+what, st.GetState(), cri.ContainerState_CONTAINER_RUNNING)
	}
	e.check(first.Stop(e.ctx, 0))
	e.equal("exit code where the last main container was killed", side.exited(), int32(1))
}
