// Command pause holds a pod's namespaces: it does nothing until it is told to
// end. It is the first process of every sandbox the lab makes.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
