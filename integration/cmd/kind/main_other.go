//go:build !linux

package main

import "fmt"

func main() {
	fmt.Println("kind is skipped: this is no Linux")
}
