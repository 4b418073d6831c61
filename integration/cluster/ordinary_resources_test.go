//go:build linux

package cluster

import (
	"regexp"
	"strconv"
	"strings"
)

var ordinaryResourceScenarios = []scenario{
	{"limits of an ordinary container are in its cgroup, and a resize changes them there", ordinaryLimits, ordinary},
	{"the killer of processes prefers ordinary containers by their class of service", ordinaryClasses, ordinary},
	{"kubelet's summary counts each ordinary container by itself", ordinarySummary, ordinary},
}

// inCgroup reads a file of the cgroup of the pod's container main as the
// container sees it: that of version 1, or that of version 2.
func (e *env) inCgroup(pod, v1, v2 string) string {
	e.Helper()
	return strings.TrimSpace(e.sh(pod, "cd /sys/fs/cgroup; cat "+v1+" 2>/dev/null || cat "+v2))
}

// computes is a script that keeps a processor busy for a moment.
const computes = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; "

var throttledTimes = regexp.MustCompile(`(?m)^nr_throttled [1-9]`)

func ordinaryLimits(e *env) {
	e.apply(podOf("p", "", mainWaits(limits("cpu: 10m, memory: 16Mi", "cpu: 100m, memory: 64Mi"))))
	e.ready("p")
	memory := func() string { return e.inCgroup("p", "memory/memory.limit_in_bytes", "memory.max") }
	quota := func() string {
		text, _, _ := strings.Cut(e.inCgroup("p", "cpu/cpu.cfs_quota_us", "cpu.max"), " ")
		return text
	}
	e.equal("the memory limit", memory(), strconv.Itoa(64<<20))
	e.equal("the quota of a period of 100000", quota(), "10000")
	e.sh("p", computes)
	if stat := e.inCgroup("p", "cpu/cpu.stat", "cpu.stat"); !throttledTimes.MatchString(stat) {
		e.Errorf("it was not throttled: %s", stat)
	}
	e.resize("p", "main", "memory", "96Mi")
	e.eventually("the memory limit is the new one", func() bool { return memory() == strconv.Itoa(96<<20) })
	e.resize("p", "main", "cpu", "1")
	e.eventually("the quota is the new one", func() bool { return quota() == "100000" })
	e.eventually("kubelet says so", func() bool {
		r := e.container(e.pod("p"), "main").Resources
		return r != nil && r.Limits.Memory().Value() == 96<<20 && r.Limits.Cpu().MilliValue() == 1000
	})
	e.equal("restarts", e.restarted(e.pod("p"), "main"), 0)
}

func ordinaryClasses(e *env) {
	same := "memory: 64Mi, cpu: 100m"
	e.apply(podOf("guaranteed", "", mainWaits(limits(same, same))) +
		podOf("burstable", "", mainWaits(limits("memory: 1Gi", ""))) +
		podOf("besteffort", "", mainWaits()))
	last := -1000
	for _, class := range []string{"Guaranteed", "Burstable", "BestEffort"} {
		pod := strings.ToLower(class)
		e.equal("class of "+pod, string(e.ready(pod).Status.QOSClass), class)
		score, err := strconv.Atoi(strings.TrimSpace(e.sh(pod, "cat /proc/1/oom_score_adj")))
		e.check(err)
		if score <= last {
			e.Errorf("score of %s: %d, and of the class before it %d", class, score, last)
		}
		last = score
	}
	e.equal("the score of who asked for nothing", last, 1000)
}

func ordinarySummary(e *env) {
	e.apply(podOf("p", "", runs("busy", computes+computes+computes+computes+waits), runs("idle", waits)))
	e.ready("p")
	e.counted("p", "busy", "idle")
}
