package clusterbench

import "slices"

// topic is what figures of one name are about.
type topic struct {
	part  Part
	name  string
	title string // of a table's rows, or a heading
	how   string // how it was measured
}

// topics are all there are, in the order in which they are read.
var topics = []topic{
	{Starts, figReady, "pod start", "from the request to create the pod until the watch shows it Ready"},
	{Starts, figScheduled, "… until it has a node", "until the watch shows it scheduled"},
	{Starts, figSandbox, "… then until its sandbox is there", "from there until the watch shows its sandbox and network (PodReadyToStartContainers)"},
	{Starts, figRest, "… then until Ready", "from there until the watch shows it Ready: its containers, and kubelet's reports"},
	{Starts, "kubelet-sandbox", "the sandbox, by kubelet's clock", "what kubelet's metrics have of run_podsandbox after the pod and not before, where nothing else was started on the node meanwhile"},
	{Starts, "kubelet-create", "containers created, by kubelet's clock", "the same of create_container, for all containers of the pod together"},
	{Starts, "kubelet-start", "containers started, by kubelet's clock", "the same of start_container"},
	{First, figFirst, "first request of a new pod", "on a new connection, right after the pod is Ready; an engine is loaded and had no instance yet"},
	{Wake, figWake, "first request after deep idle", "on a new connection, when no process of any engine is left in the pod, which the main container sees (shareProcessNamespace); MAYFLY_IDLE_TIMEOUT=0s"},
	{Requests, "kept", "request, one connection", "a fresh instance each; one client, one connection that is kept"},
	{Requests, "anew", "request, a new connection each", "a fresh instance each; one client, connecting is part of the time"},
	{Requests, "rate-8", "requests in a second, 8 at once", "eight clients with a connection each, each asks as soon as it has its answer"},
	{Requests, "rate-64", "requests in a second, 64 at once", "the same with sixty-four"},
	{Memory, figSidecar, "sidecar, nobody asks", "private memory of all processes of the sidecar's container; of mayfly's that is the holder, the engine has left"},
	{Memory, figLoaded, "sidecar, its engine there", "the same some seconds after a request: holder and engine"},
	{Memory, figShim, "the pod's shim", "private memory of containerd's shim of the pod, which no cgroup of the pod counts"},
	{Memory, figPod, "the pod as a whole", "PSS of all processes of the pod (sandbox, main container, sidecar) and of its shim, nobody asks; what a program's file takes is shared by all that run it on the node, so it counts less where there are many such pods"},
	{Memory, figKubeletSidecar, "the sidecar, as kubelet counts", "its container's working set, nobody asks; files that were read count, what processes share counts once, the shim does not count"},
	{Memory, figKubeletPod, "the pod, as kubelet counts", "the same of the pod"},
	{Together, figTogether, "woken at the same moment", "one request to each pod, all at the same moment, on a new connection, when no engine is left"},
}

// of are the figures of a topic, in the order of the subjects.
func (r *Results) of(t topic) []*figure {
	var all []*figure
	for _, f := range r.Figures {
		if f.Part == t.part && f.Name == t.name {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b *figure) int { return seriesOf(a.Of) - seriesOf(b.Of) })
	return all
}

// order of subjects everywhere on a page, and the numbers of their colours.
var series = []string{"c", "rust", "go", "js", server, "nginx", static, nobody}

func seriesOf(name string) int {
	if i := slices.Index(series, name); i >= 0 {
		return i
	}
	return len(series)
}

// column is one of the tables that are read first.
type column struct {
	part       Part
	name, head string
}

// What a person asks first: times, and amounts.
var (
	shortTimes = []column{
		{Starts, figReady, "pod Ready"},
		{First, figFirst, "first request"},
		{Wake, figWake, "after deep idle"},
		{Requests, "kept", "request (p99)"},
		{Requests, "anew", "new connection (p99)"},
		{Together, figTogether, "woken together"},
	}
	shortAmounts = []column{
		{Requests, "rate-8", "8 at once"},
		{Requests, "rate-64", "64 at once"},
		{Memory, figSidecar, "at rest"},
		{Memory, figLoaded, "engine there"},
		{Memory, figShim, "its shim"},
		{Memory, figPod, "the pod"},
	}
)

// short is a line for each subject, of the middles of samples; nothing where none of the columns was measured.
func (r *Results) short(columns []column) (rows [][]string) {
	head := []string{""}
	used := columns[:0:0]
	for _, c := range columns {
		if slices.ContainsFunc(r.Figures, func(f *figure) bool { return f.Part == c.part && f.Name == c.name }) {
			used = append(used, c)
			head = append(head, c.head)
		}
	}
	for _, name := range series {
		row, some := []string{""}, false
		for _, c := range used {
			f := r.find(c.part, c.name, name)
			if f == nil || f.N == 0 {
				row = append(row, "–")
				continue
			}
			row[0], some = f.Title, true
			text := f.in().Format(f.P50)
			if f.P99 > 0 && f.Unit == unitTime {
				text += " (" + f.in().Format(f.P99) + ")"
			}
			row = append(row, text)
		}
		if some {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return append([][]string{head}, rows...)
}
