//go:build linux

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/e2e-framework/klient/k8s/resources"

	"github.com/mayfly-run/mayfly/integration/expect"
	"github.com/mayfly-run/mayfly/integration/lab"
)

var manyScenarios = []scenario{
	{"a pod has twelve sidecars", func(e *env) { manySidecars(e, 12) }, sidecar},
	{"a pod has a thousand sidecars", func(e *env) { manySidecars(e, 1000) }, sidecar | alone | long},
	{"a node has fifteen pods with a sidecar each", func(e *env) { manyPods(e, 15) }, sidecar},
	{"a node has 110 pods with a sidecar each", func(e *env) { manyPods(e, 110) }, sidecar | alone | long},
	{"thirty pods come and go and leave nothing", func(e *env) { comeAndGo(e, 30) }, sidecar | alone},
	{"500 pods come and go and leave nothing", func(e *env) { comeAndGo(e, 500) }, sidecar | alone | long},
}

const (
	firstPort = 10001
	// batch is how many pods come and go at once.
	batch = 50
)

// patiently waits for as long as the scenario may take until what is so.
func (e *env) patiently(what string, so func() bool) {
	e.Helper()
	expect.Wait{Within: lengthy, Every: 500 * time.Millisecond}.Eventually(e.ctx, e, what, so)
}

// manySidecars has n of them in one pod. Their engines leave at once, so that
// what is measured is what a sidecar costs that nobody asks.
func manySidecars(e *env, n int) {
	var containers []string
	for i := range n {
		containers = append(containers, guest(fmt.Sprint("s", i), "counter", fmt.Sprintf("PORT=%d MAYFLY_IDLE_TIMEOUT=0", firstPort+i)))
	}
	begin := time.Now()
	// Without them each container's list of mounts and of variables would make
	// the object too large for etcd.
	e.apply(podOf("many", "automountServiceAccountToken: false\nenableServiceLinks: false\n", append(containers, mainWaits())...))
	e.patiently("all containers are ready", func() bool { return readyContainers(e.pod("many")) == n+1 })
	e.Logf("%d sidecars were ready after %s", n, time.Since(begin).Round(100*time.Millisecond))
	e.measure(n)
	url := fmt.Sprintf("http://localhost:[%d-%d]/", firstPort, firstPort+n-1)
	answers := strings.Fields(e.sh("many", "curl -s --max-time "+curlPatience+" -Z --parallel-max 20 -w '\\n' '"+url+"'"))
	e.equal("answers", len(answers), n)
	e.equal("sidecars that are no fresh instance", len(slices.DeleteFunc(answers, func(a string) bool { return a == "1" })), 0)
	begin = time.Now()
	e.check(e.resources.Delete(e.ctx, e.pod("many"), resources.WithGracePeriod(5*time.Second)))
	e.patiently("the pod is gone", func() bool { return len(e.podsOf("app", "many")) == 0 })
	e.Logf("the pod was gone after %s", time.Since(begin).Round(100*time.Millisecond))
}

func readyContainers(p *corev1.Pod) (n int) {
	for _, c := range p.Status.ContainerStatuses {
		if c.Ready {
			n++
		}
	}
	return n
}

// manyPods has n pods with a main container and a sidecar each.
func manyPods(e *env, n int) {
	e.apply(podOf("asks", "", mainWaits()))
	begin := time.Now()
	pods := e.makePods("one-of-many", 0, n)
	e.Logf("%d pods were ready after %s", n, time.Since(begin).Round(100*time.Millisecond))
	e.ready("asks")
	e.measure(n)
	var urls []string
	for _, p := range pods {
		urls = append(urls, "http://"+p.Status.PodIP+":8080/")
	}
	answers := strings.Fields(e.sh("asks", "curl -s --max-time "+curlPatience+" -Z --parallel-max 20 -w '\\n' "+strings.Join(urls, " ")))
	e.equal("answers", len(answers), n)
	begin = time.Now()
	e.removePods("one-of-many")
	e.Logf("%d pods were gone after %s", n, time.Since(begin).Round(100*time.Millisecond))
}

// makePods makes n pods with a label and waits until all are ready.
func (e *env) makePods(label string, from, n int) []corev1.Pod {
	e.Helper()
	for i := range n {
		manifest := podOf(fmt.Sprint(label, "-", from+i), "", mainWaits(), guest("app", "counter", "PORT=8080 MAYFLY_LISTEN=:8080"))
		e.apply(strings.Replace(manifest, "labels: {", "labels: {many: "+label+", ", 1))
	}
	var pods []corev1.Pod
	e.patiently(fmt.Sprint(n, " pods are ready"), func() bool {
		pods = e.podsOf("many", label)
		ready := 0
		for _, p := range pods {
			if readyContainers(&p) == 2 {
				ready++
			}
		}
		return ready == n
	})
	return pods
}

// removePods removes the pods with a label and waits until all are gone.
func (e *env) removePods(label string) {
	e.Helper()
	for _, p := range e.podsOf("many", label) {
		e.check(e.resources.Delete(e.ctx, &p, resources.WithGracePeriod(5*time.Second)))
	}
	e.patiently("the pods are gone", func() bool { return len(e.podsOf("many", label)) == 0 })
}

// comeAndGo makes and removes n pods, beside one that stays, and looks for what
// they leave on the node.
func comeAndGo(e *env, n int) {
	node := e.cluster.Node
	e.apply(podOf("stays", "", mainWaits(), guest("app", "counter", "PORT=8080 MAYFLY_IDLE_TIMEOUT=never")))
	e.ready("stays")
	e.get("stays", "http://localhost:8080/")
	e.check(e.cluster.collect(e.ctx))
	before, err := node.Settled()
	e.check(err)
	cached := e.cached()
	begin := time.Now()
	for from := 0; from < n; from += batch {
		e.makePods("passing", from, min(batch, n-from))
		e.removePods("passing")
	}
	e.Logf("%d pods came and went in %s", n, time.Since(begin).Round(100*time.Millisecond))
	e.check(e.cluster.collect(e.ctx))
	left, err := node.Leaks(before)
	e.check(err)
	if len(left) > 0 {
		e.Errorf("something is left behind:\n%s", strings.Join(left, "\n"))
	}
	if now := e.cached(); !slices.Equal(now, cached) {
		e.Errorf("the cache of compiled code has %q, and had %q", now, cached)
	}
	e.get("stays", "http://localhost:8080/")
	e.equal("restarts of what stayed", e.restarted(e.pod("stays"), "app"), 0)
}

// cached is what is in the node's cache of compiled code.
func (e *env) cached() (names []string) {
	root := filepath.Join(e.cluster.Node.Root(), "var/lib/mayfly")
	_ = filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			names = append(names, strings.TrimPrefix(path, root))
		}
		return nil
	})
	return names
}

// measure logs what the node's processes of each kind have for themselves, and
// how long kubelet takes to look at all containers. n is how many sidecars there
// are.
func (e *env) measure(n int) {
	if e.cluster == nil {
		return
	}
	node := e.cluster.Node
	ps, err := node.Processes()
	e.check(err)
	for _, name := range []string{"containerd-shim-mayfly-v1", "/.mayfly/init", "mayfly-engine"} {
		var all []lab.Memory
		descriptors := 0
		for _, p := range ps {
			if !strings.HasSuffix(p.Args[0], name) {
				continue
			}
			if m, err := node.Memory(p.Pid); err == nil {
				all = append(all, m)
			}
			fds, _ := os.ReadDir(node.Proc(p.Pid, "fd"))
			descriptors += len(fds)
		}
		var private, pss, most int64
		for _, m := range all {
			private, pss, most = private+m.Private, pss+m.PSS, max(most, m.Private)
		}
		e.Logf("%d × %s: %d KiB private, %d KiB PSS, the largest %d KiB, %d descriptors", len(all), filepath.Base(name), private>>10, pss>>10, most>>10, descriptors)
	}
	e.Logf("kubelet looks at %d sidecars in %s on average", n, e.relist())
}

// relist is how long kubelet took on average to look which containers there are,
// as PLEG, since it started.
func (e *env) relist() time.Duration {
	e.Helper()
	var sum, count float64
	for line := range strings.Lines(e.kubectl("get", "--raw", "/api/v1/nodes/"+NodeName+"/proxy/metrics")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "kubelet_pleg_relist_duration_seconds_sum":
			sum, _ = strconv.ParseFloat(value, 64)
		case "kubelet_pleg_relist_duration_seconds_count":
			count, _ = strconv.ParseFloat(value, 64)
		}
	}
	return time.Duration(sum / max(count, 1) * float64(time.Second)).Round(time.Millisecond)
}
