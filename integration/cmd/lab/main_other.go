//go:build !linux

package main

import "fmt"

func main() {
	fmt.Println("the scenarios on real containerd are skipped: this is no Linux")
}
