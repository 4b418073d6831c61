// Command engine plays mayfly-engine compile in the tests of package code. What it does is written in what it is to compile.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-run/mayfly/internal/compiled"
)

func main() {
	if err := compile(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func compile(args []string) error {
	if len(args) != 5 || args[0] != "compile" || args[1] != "-out" || args[3] != "-module" {
		return fmt.Errorf("arguments: %q", args)
	}
	dir := args[2]
	fd, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	module, err := io.ReadAll(os.NewFile(uintptr(fd), "module"))
	if err != nil {
		return err
	}
	does, _, _ := strings.Cut(string(module), "\n")
	sum := sha256.Sum256(module)
	if does == "lies" {
		sum = sha256.Sum256(nil)
	}
	switch does {
	case "refuses":
		return errors.New("this module\nis bad: \x1b[31mimport \"env\".\"foo\"")
	case "hangs":
		time.Sleep(time.Hour)
	case "is slow":
		time.Sleep(200 * time.Millisecond)
	case "links":
		if err := os.Symlink("/etc/passwd", dir+"/link"); err != nil {
			return err
		}
	case "nests":
		if err := os.Mkdir(dir+"/sub", 0o700); err != nil {
			return err
		}
	case "writes nothing":
		return nil
	}
	if err := os.WriteFile(dir+"/code", append([]byte("compiled: "), module...), 0o600); err != nil {
		return err
	}
	if err := compiled.Seal(dir, compiled.Origin{Module: hex.EncodeToString(sum[:]), Engine: "test", Wazero: "none"}); err != nil {
		return err
	}
	if does == "adds" {
		return os.WriteFile(dir+"/more", nil, 0o600)
	}
	return nil
}
