// Command mayfly-engine hosts the instances of one sidecar. The holder, pid 1 of the sidecar's container, starts it; it is not for
// people, who have mayfly serve.
//
//	mayfly-engine -status 3 -listen 4[,5…] [-conn 6,7…] [-greeted 8…] [-take] -module /app.wasm [-compiled 9] [-memory-limit BYTES] -- ARG0 ARGS…
//
// -status is the link to the holder (package control), -listen are listening sockets, -conn connections that the holder has
// accepted already, -greeted more of them, on which it has sent HTTP/2's settings; -take says that it takes in more while the app is
// loaded, if that is slow, and hands them over on the link. -compiled is a directory with the module's compiled code. What it runs and
// how is in the environment (package config); the guest sees the rest of that. -memory-limit is the container's when it was made:
// where the engine sees its cgroup, it goes by what stands there now, and follows it.
//
// Such a directory, an empty one, is filled by
//
//	mayfly-engine compile -module 3 -out DIR [-timeout 5m]
//
// which the shim runs where there is nothing to take over: it needs neither /proc nor privileges. It exits with 0, or says in a line why not.
//
//	mayfly-engine tool NAME ARGS…
//
// is what kubectl exec runs in the container as mayfly NAME (package tool).
//
// With trigger http it serves until SIGTERM, a second one cuts what is in flight; or until idle, when it says so and exits with 0.
// With trigger command it runs the guest once and exits with the guest's code: codes above 255 become 255, a trap is 134 as after
// an abort, a guest stopped by SIGTERM 143. Its own failures are 1, a wrong command line is 2.
package main

import "os"

func main() { os.Exit(doMain(os.Args[1:])) }
