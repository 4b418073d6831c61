//go:build linux

package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
)

var resourceScenarios = []scenario{
	{"a memory limit that is resized changes how many instances fit, at once and without a lost request", resizeMemory, sidecar},
	{"a sidecar that sleeps wakes with the memory limit that it has by then", resizeAsleep, sidecar},
	{"a processor limit throttles a sidecar, which answers all the same, and can be resized", processorLimit, sidecar},
	{"guests that do not fit into the memory limit are answered 503", memoryLimit, sidecar},
	{"a sidecar that comes to its memory limit is OOMKilled and starts again", outOfMemory, sidecar},
	{"a memory limit that is too low for a sidecar is the reason in its events", limitTooLow, sidecar},
	{"sidecars are in pods of every class of service", classesOfService, sidecar},
	{"what a pod costs beside its containers counts for its limit and for the node", overheadCounts, sidecar},
	{"kubelet's summary counts each sidecar by itself", summaryCounts, sidecar},
	{"kubectl top shows what a sidecar uses, and the autoscaler adds pods for it", autoscales, sidecar | alone | long},
}

// limits is a container's field; each is "memory: 64Mi, cpu: 1".
func limits(requests, limits string) string {
	return fmt.Sprintf("resources: {requests: {%s}, limits: {%s}}", requests, limits)
}

// resize changes one of a container's limits in place.
func (e *env) resize(pod, container, resource, limit string) {
	e.Helper()
	e.kubectl("patch", "pod", pod, "--subresource=resize", "--patch",
		fmt.Sprintf(`{"spec": {"containers": [{"name": %q, "resources": {"limits": {%q: %q}}}]}}`, container, resource, limit))
}

var instancesLogged = regexp.MustCompile(`instances=(\d+)`)

// instances is how many may be alive at once, each time that the log tells.
func (e *env) instances(pod, container string) (all []int) {
	e.Helper()
	for _, m := range instancesLogged.FindAllStringSubmatch(e.logs(pod, container), -1) {
		n, err := strconv.Atoi(m[1])
		e.check(err)
		all = append(all, n)
	}
	return all
}

// asMany asks for a URL n times at once, and returns how often each status was
// the answer.
func (e *env) asMany(pod string, n int, url string) map[string]int {
	e.Helper()
	out := e.sh(pod, fmt.Sprintf("curl -s --max-time %s -Z --parallel-immediate --parallel-max %d -o /dev/null -w '%%{http_code}\\n' '%s&n=[1-%d]' || true", curlPatience, n, url, n))
	codes := map[string]int{}
	for _, code := range strings.Fields(out) {
		codes[code]++
	}
	return codes
}

// sleeps is the URL of the guest that sleeps, for so long on a machine that is
// not slower than usual.
func sleeps(host string, d time.Duration) string {
	return fmt.Sprintf("http://%s:8080/?ms=%d", host, lab.Patience(d).Milliseconds())
}

func resizeMemory(e *env) {
	e.apply(podOf("resized", "", mainWaits(),
		guest("app", "sleep", "PORT=8080 MAYFLY_TIMEOUT="+setting(4*time.Second), limits("memory: 24Mi", "memory: 40Mi"))))
	e.ready("resized")
	// Somebody asks all the while.
	e.sh("resized", `(while [ ! -e /tmp/stop ]; do curl -s -o /dev/null -w '%{http_code}\n' --max-time `+curlPatience+` 'http://localhost:8080/?ms=5'; sleep 0.05; done >/tmp/codes; touch /tmp/stopped) >/dev/null 2>&1 &`)
	first := e.instances("resized", "app")[0]
	const many = 200
	if first >= many/2 {
		e.Fatalf("%d instances fit at first: too many for this to show something", first)
	}
	e.equal("answers while few fit", e.asMany("resized", many, sleeps("localhost", 3*time.Second))["503"] > 0, true)

	e.resize("resized", "app", "memory", "160Mi")
	e.eventually("more instances fit", func() bool { is := e.instances("resized", "app"); return is[len(is)-1] > 2*many })
	e.equal("answers while many fit", e.asMany("resized", many, sleeps("localhost", 3*time.Second))["200"], many)

	e.resize("resized", "app", "memory", "40Mi")
	e.eventually("as few instances fit as at first", func() bool { is := e.instances("resized", "app"); return is[len(is)-1] == first })
	e.equal("answers while few fit again", e.asMany("resized", many, sleeps("localhost", 3*time.Second))["503"] > 0, true)

	e.sh("resized", "touch /tmp/stop; while [ ! -e /tmp/stopped ]; do sleep 0.1; done")
	for line := range strings.Lines(e.sh("resized", "sort /tmp/codes | uniq -c")) {
		if !strings.Contains(line, " 200") && !strings.Contains(line, " 503") {
			e.Errorf("answers while the limit changed: %s", line)
		}
	}
	e.equal("restarts", e.restarted(e.pod("resized"), "app"), 0)
}

func resizeAsleep(e *env) {
	e.apply(podOf("asleep", "", mainWaits(),
		guest("app", "hello", "PORT=8080 MAYFLY_IDLE_TIMEOUT=100ms", limits("memory: 24Mi", "memory: 40Mi"))))
	e.ready("asleep")
	e.eventually("it sleeps", func() bool { return strings.Contains(e.logs("asleep", "app"), "idle: leaving") })
	first := e.instances("asleep", "app")[0]
	e.resize("asleep", "app", "memory", "160Mi")
	e.eventually("kubelet has resized it", func() bool {
		r := e.container(e.pod("asleep"), "app").Resources
		return r != nil && r.Limits.Memory().Value() == 160<<20
	})
	e.get("asleep", "http://localhost:8080/")
	is := e.instances("asleep", "app")
	if last := is[len(is)-1]; last < 3*first {
		e.Errorf("%d instances fit after it woke, %d before", last, first)
	}
	e.equal("restarts", e.restarted(e.pod("asleep"), "app"), 0)
}

func processorLimit(e *env) {
	e.apply(podOf("slow", "", mainWaits(),
		guest("app", "compute", "PORT=8080 MAYFLY_TIMEOUT="+setting(30*time.Second), limits("cpu: 10m", "cpu: 100m"))))
	e.ready("slow")
	const work = "http://localhost:8080/?millions=200"
	e.get("slow", work)
	id := containerID(e.container(e.pod("slow"), "app"))
	if e.cluster != nil && throttled(e, id) == 0 {
		e.Error("the sidecar was not throttled")
	}
	e.resize("slow", "app", "cpu", "1")
	e.eventually("kubelet has resized it", func() bool {
		r := e.container(e.pod("slow"), "app").Resources
		return r != nil && r.Limits.Cpu().MilliValue() == 1000
	})
	if e.cluster != nil {
		e.equal("the quota of its cgroup, of a period of 100000", quota(e, id), "100000")
	}
	e.get("slow", work)
	e.equal("restarts", e.restarted(e.pod("slow"), "app"), 0)
}

// containerID is what containerd calls a container.
func containerID(s corev1.ContainerStatus) string {
	return strings.TrimPrefix(s.ContainerID, "containerd://")
}

// cgroup reads a file of a container's or pod's cgroup, which ends in of: that
// of version 1 under its controller's name, or that of version 2. Above kubelet's
// there may be one of the node's.
func (e *env) cgroup(of, v1, v2 string) string {
	e.Helper()
	controller, name := filepath.Split(v1)
	for _, above := range []string{"*", ""} {
		for _, class := range []string{"", "*"} {
			pods := filepath.Join(above, "kubepods", class, of)
			for _, file := range []string{filepath.Join(controller, pods, name), filepath.Join(pods, v2)} {
				if found, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", file)); len(found) > 0 {
					text, err := os.ReadFile(found[0])
					e.check(err)
					return strings.TrimSpace(string(text))
				}
			}
		}
	}
	e.Fatalf("there is no cgroup of %s with %s or %s", of, v1, v2)
	return ""
}

func throttled(e *env, id string) int {
	for line := range strings.Lines(e.cgroup("*/"+id, "cpu/cpu.stat", "cpu.stat")) {
		if n, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			count, err := strconv.Atoi(strings.TrimSpace(n))
			e.check(err)
			return count
		}
	}
	return 0
}

func quota(e *env, id string) string {
	text, _, _ := strings.Cut(e.cgroup("*/"+id, "cpu/cpu.cfs_quota_us", "cpu.max"), " ")
	return text
}

func memoryLimit(e *env) {
	e.apply(podOf("full", "", mainWaits(),
		guest("app", "sleep", "PORT=8080 MAYFLY_TIMEOUT="+setting(6*time.Second), limits("memory: 24Mi", "memory: 40Mi")),
		guest("greedy", "allocate", "PORT=8081 MAYFLY_MEMORY=1Gi", limits("memory: 24Mi", "memory: 64Mi"))))
	e.ready("full")
	codes := e.asMany("full", 250, sleeps("localhost", 2*time.Second)) // after half of their time those that wait are turned away
	if codes["200"] == 0 || codes["503"] == 0 || codes["200"]+codes["503"] != 250 {
		e.Errorf("answers: %v, want 200 and 503 only", codes)
	}
	e.contains("an answer of one that takes all it can get", e.get("full", "http://localhost:8081/"), "refused at")
	e.equal("an answer afterwards", e.status("full", "http://localhost:8080/?ms=1"), "200")
	e.equal("restarts", e.restarted(e.pod("full"), "app")+e.restarted(e.pod("full"), "greedy"), 0)
}

func outOfMemory(e *env) {
	// Files in memory count for who writes them, and no budget of ours knows.
	e.apply(podOf("greedy", "volumes: [{name: memory, emptyDir: {medium: Memory}}]\n", mainWaits(),
		guest("app", "write-file", "PORT=8080", limits("memory: 20Mi", "memory: 20Mi"), "volumeMounts: [{name: memory, mountPath: /memory}]")))
	e.ready("greedy")
	for i := 1; i < 40 && e.restarted(e.pod("greedy"), "app") == 0 && e.container(e.pod("greedy"), "app").State.Running != nil; i++ {
		e.sh("greedy", fmt.Sprintf(`text=$(head -c 4000 /dev/zero | tr '\0' x)
curl -s -Z --parallel-max 4 --max-time %[2]s -o /dev/null "http://localhost:8080/?path=/memory/[%[1]d00-%[1]d99]&text=$text" || true`, i, curlPatience))
	}
	e.eventually("it is OOMKilled", func() bool {
		end := e.container(e.pod("greedy"), "app").LastTerminationState.Terminated
		return end != nil && end.Reason == "OOMKilled" && end.ExitCode == 137
	})
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil { // with version 2 the holder is killed too
		e.contains("what it says at its end", e.kubectl("logs", "greedy", "-c", "app", "--previous"), "memory limit")
	}
	e.contains("kubectl describe", e.kubectl("describe", "pod", "greedy"), "OOMKilled", "Restart Count:  1")
	e.ready("greedy")
	e.contains("an answer of its successor", e.get("greedy", "http://localhost:8080/?path=/memory/100&text=short"), "wrote 5")
}

func limitTooLow(e *env) {
	for _, limit := range []string{"512Ki", "4Mi", "8Mi"} {
		name := "low-" + strings.ToLower(limit)
		e.apply(podOf(name, "", mainWaits(), guest("app", "hello", "PORT=8080", limits("memory: "+limit, "memory: "+limit))))
	}
	for _, limit := range []string{"512Ki", "4Mi"} {
		name := "low-" + strings.ToLower(limit)
		e.eventually("the events of "+name+" name its limit", func() bool {
			return strings.Contains(strings.ToLower(e.events(name)), "memory limit")
		})
		e.Log(e.events(name))
	}
	e.Log(e.events("low-8mi"))
}

func classesOfService(e *env) {
	same := "memory: 64Mi, cpu: 100m"
	for _, tc := range []struct{ name, class, main, app string }{
		{"guaranteed", "Guaranteed", limits(same, same), limits(same, same)},
		{"burstable", "Burstable", limits("memory: 16Mi", ""), limits("memory: 16Mi", "memory: 64Mi")},
		{"besteffort", "BestEffort", "", ""},
	} {
		fields := func(f string) []string {
			if f == "" {
				return nil
			}
			return []string{f}
		}
		e.apply(podOf(tc.name, "", mainWaits(fields(tc.main)...), guest("app", "counter", "PORT=8080", fields(tc.app)...)))
		pod := e.ready(tc.name)
		e.equal("class of "+tc.name, string(pod.Status.QOSClass), tc.class)
		e.equal("an answer in "+tc.name, e.get(tc.name, "http://localhost:8080/"), "1")
	}
}

func overheadCounts(e *env) {
	same := "memory: 64Mi, cpu: 100m"
	e.apply(podOf("counted", "", mainWaits(limits(same, same)), guest("app", "hello", "PORT=8080", limits(same, same))))
	pod := e.ready("counted")
	overhead := pod.Spec.Overhead.Memory().Value()
	if overhead == 0 {
		e.Fatal("the RuntimeClass has no overhead")
	}
	row := regexp.MustCompile(e.namespace + ` +counted .*`).FindString(e.kubectl("describe", "node", pod.Spec.NodeName))
	e.contains("what the node has given away", row, fmt.Sprintf(" %dMi", (128<<20+overhead)>>20))
	if e.cluster == nil {
		return
	}
	e.equal("the limit of the pod's cgroup", e.cgroup("pod"+string(pod.UID), "memory/memory.limit_in_bytes", "memory.max"), fmt.Sprint(128<<20+overhead))
	// The shim itself is not in it, but where containerd's is, unless ShimCgroup
	// says otherwise.
	ps, err := e.cluster.Node.Processes()
	e.check(err)
	for _, p := range ps {
		if !strings.Contains(p.Args[0], "shim-mayfly") {
			continue
		}
		if text, err := os.ReadFile(e.cluster.Node.Proc(p.Pid, "cgroup")); err == nil && strings.Contains(string(text), "/kubepods") {
			e.Errorf("a shim is in a pod's cgroup: %s", text)
		}
	}
}

func summaryCounts(e *env) {
	e.apply(podOf("counted", "", mainWaits(), guest("one", "compute", "PORT=8080"), guest("two", "hello", "PORT=8081")))
	e.ready("counted")
	e.get("counted", "http://localhost:8080/?millions=500")
	e.get("counted", "http://localhost:8081/")
	e.counted("counted", "one", "two")
}

// counted waits until kubelet's summary has much work for the one container of
// a pod, and little for the other.
func (e *env) counted(pod, busy, idle string) {
	e.Helper()
	node := e.pod(pod).Spec.NodeName
	type usage struct {
		Name string
		CPU  struct{ UsageCoreNanoSeconds uint64 }
		Mem  struct{ WorkingSetBytes uint64 } `json:"memory"`
	}
	e.eventually("kubelet counts what each uses", func() bool {
		var summary struct {
			Pods []struct {
				PodRef     struct{ Name, Namespace string }
				Containers []usage
			}
		}
		e.check(json.Unmarshal([]byte(e.kubectl("get", "--raw", "/api/v1/nodes/"+node+"/proxy/stats/summary")), &summary))
		of := map[string]usage{}
		for _, p := range summary.Pods {
			if p.PodRef.Name != pod || p.PodRef.Namespace != e.namespace {
				continue
			}
			for _, c := range p.Containers {
				of[c.Name] = c
			}
		}
		one, two := of[busy], of[idle]
		return one.CPU.UsageCoreNanoSeconds > 4*two.CPU.UsageCoreNanoSeconds && two.CPU.UsageCoreNanoSeconds > 0 &&
			one.Mem.WorkingSetBytes > 0 && two.Mem.WorkingSetBytes > 0
	})
}
