//go:build linux

package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// diagnosis is what a person wants to see of a scenario that failed.
func (e *env) diagnosis() string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer func(before context.Context) { e.ctx = before }(e.ctx)
	e.ctx = ctx
	var b strings.Builder
	show := func(args ...string) {
		out, errs, err := e.tryKubectl(args...)
		fmt.Fprintf(&b, "$ kubectl %s\n%s%s", strings.Join(args, " "), out, errs)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
	}
	fmt.Fprintf(&b, "namespace %s\n", e.namespace)
	show("get", "all", "-o", "wide")
	show("describe", "pods")
	show("get", "events", "--sort-by=.lastTimestamp")
	var pods corev1.PodList
	if err := e.resources.List(ctx, &pods); err != nil {
		fmt.Fprintln(&b, err)
	}
	for _, p := range pods.Items {
		show("logs", p.Name, "--all-containers", "--prefix", "--tail=20")
		for _, st := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			if st.RestartCount > 0 {
				show("logs", p.Name, "-c", st.Name, "--previous", "--tail=20")
			}
		}
	}
	for path, from := range e.logged {
		fmt.Fprintf(&b, "warnings in %s:\n%s\n", path, warnings(path, from))
	}
	return b.String()
}

// noteLogs notes how long the node's logs are, so that what was written before
// the scenario is not shown when it fails.
func (e *env) noteLogs() {
	e.logged = map[string]int64{}
	if e.cluster == nil {
		return
	}
	for _, path := range []string{e.cluster.Log("kubelet"), e.cluster.Log("kube-proxy"), e.cluster.Containerd.Log()} {
		if info, err := os.Stat(path); err == nil {
			e.logged[path] = info.Size()
		}
	}
}

// warnings are the last ones in a log, from some place on.
func warnings(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, from, 64<<20))
	if err != nil {
		return err.Error()
	}
	var some []string
	for line := range strings.Lines(string(text)) {
		if klogWarning.MatchString(line) || strings.Contains(line, "level=error") || strings.Contains(line, "level=warning") {
			some = append(some, line)
		}
	}
	return strings.Join(some[max(0, len(some)-15):], "")
}

// klogWarning is how a warning or an error of a program of Kubernetes begins.
var klogWarning = regexp.MustCompile(`^[EWF]\d{4} `)
