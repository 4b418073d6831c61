// Package clusterbench measures on a real cluster what mayfly does to pods, beside pods without sidecars and pods whose sidecars are
// ordinary containers. It is what "mayfly bench cluster" runs.
//
// It needs a kubeconfig, a RuntimeClass, and images that the nodes have or can pull. It makes a namespace, and removes it again however it
// ends. What takes time is timed in the pods, by the program of integration/benchagent in their main containers, except for the start of
// pods, which is timed by a watch here.
//
// In reading order:
//
//	plan.go      what is measured, and how much of it
//	run.go       one part after the other
//	starts.go    (a) pods that start, and (b) the first request to them
//	requests.go  (c) after deep idle, (d) with a warm engine
//	memory.go    (e) memory at rest
//	together.go  (f) many pods at the same moment
//	pods.go      pods that are made and watched, wrong.go what can be wrong with them
//	nodes.go     the nodes that take such pods
//	api.go       the cluster's API; exec.go orders to pods; kubelet.go what kubelets tell,
//	             and clock.go what it says of one pod
//	figure.go    figures, and their file; table.go and page.go for people
//
// It uses client-go's REST client without the typed clients of every API there is, which are ten times as large. Nobody else but the
// command line is to import it.
package clusterbench
