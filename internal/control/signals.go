package control

// Signals by which the shim ends a sidecar whose pod's main containers are done: SIGRTMIN+10 and SIGRTMIN+11, as containerd counts. The
// holder stops as on any other, says why, and exits with 0 on the first, with another status on the second.
const (
	SignalDone   = 44
	SignalFailed = 45
)
