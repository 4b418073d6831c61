//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
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
	if e.cluster != nil {
		for _, log := range []string{"kubelet", "containerd"} {
			fmt.Fprintf(&b, "%s's log has\n%s\n", log, logEnd(e.cluster.Node.Path("log/"+log+".log"), e.namespace))
		}
	}
	return b.String()
}

// logEnd are the last lines of a log that are about the namespace, or that are
// warnings.
func logEnd(path, namespace string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	var some []string
	for line := range strings.Lines(string(text)) {
		warns := strings.HasPrefix(line, "E") || strings.Contains(line, "level=error") || strings.Contains(line, "level=warning")
		if warns || strings.Contains(line, namespace) {
			some = append(some, line)
		}
	}
	return strings.Join(some[max(0, len(some)-20):], "")
}
