// Command pause holds a pod's namespaces: it does nothing until it is told to
// end, but bury the dead where the pod shares its process namespace. It is the
// first process of every sandbox the lab makes.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end, dead := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(dead, syscall.SIGCHLD)
	for {
		select {
		case <-end:
			return
		case <-dead:
			for pid := 1; pid > 0; {
				pid, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			}
		}
	}
}
