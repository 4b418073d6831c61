//go:build linux

// Package keep lets a command end and what it made stay: the command starts its
// own program again, detached, which makes the thing, keeps it, and ends it when
// it is told to. What ends with its owner, as a node of integration/lab does, is
// so kept up until another command asks for its end.
package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Place is the directory of what is kept: at most one thing.
type Place string

// File is a file in the place.
func (p Place) File(name string) string { return filepath.Join(string(p), name) }

func (p Place) note() string { return p.File("kept.json") }
func (p Place) lock() string { return p.File("kept.lock") }

// owner tells who keeps, and what.
type owner struct {
	Pid  int
	What json.RawMessage
}

// ErrNothing is the error for a place in which nothing is kept.
var ErrNothing = errors.New("nothing is up")

// Start starts this program again, with args, to call Run, and returns when
// what it keeps is up. What that program says goes to w. When ctx ends first,
// it is told to give up.
func (p Place) Start(ctx context.Context, w io.Writer, args ...string) error {
	if err := os.MkdirAll(string(p), 0o755); err != nil {
		return err
	}
	said, says, err := os.Pipe()
	if err != nil {
		return err
	}
	defer said.Close()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Stderr = says
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	says.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended
	defer stop()
	if _, err := io.Copy(w, said); err != nil { // it is silent once it is up, or has ended
		return err
	}
	if o, err := p.owner(); err != nil || o.Pid != cmd.Process.Pid {
		return errors.Join(ctx.Err(), cmd.Wait())
	}
	return cmd.Process.Release()
}

// Run calls up, notes what it returns and keeps it until Stop is called, or
// ctx ends; then it calls down. What is said until then is heard by who called
// Start, and what is said later goes into a file.
func (p Place) Run(ctx context.Context, up func(context.Context) (what any, down func() error, err error)) (err error) {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	lock, err := os.OpenFile(p.lock(), os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s is in use: %w", p, err)
	}
	what, down, err := up(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down()) }()
	if err := p.write(what); err != nil {
		return err
	}
	defer os.Remove(p.note())
	log, err := os.OpenFile(p.File("log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := syscall.Dup3(int(log.Fd()), int(os.Stderr.Fd()), 0); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (p Place) write(what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if text, err = json.Marshal(owner{os.Getpid(), text}); err != nil {
		return err
	}
	half := p.note() + ".half"
	return errors.Join(os.WriteFile(half, text, 0o600), os.Rename(half, p.note()))
}

// Find reads what is kept into what, nil for whether something is. The error
// is ErrNothing when nothing is up.
func (p Place) Find(what any) error {
	o, err := p.owner()
	if err != nil || what == nil {
		return err
	}
	return json.Unmarshal(o.What, what)
}

func (p Place) owner() (o owner, err error) {
	kept, err := p.kept()
	if err != nil {
		return o, err
	}
	text, err := os.ReadFile(p.note())
	if !kept || errors.Is(err, fs.ErrNotExist) {
		return o, ErrNothing
	}
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("read %s: %w", p.note(), err)
	}
	return o, nil
}

// kept tells whether somebody holds the lock.
func (p Place) kept() (bool, error) {
	f, err := os.Open(p.lock())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// Stop ends what is kept and waits until it has ended. The error is ErrNothing
// when nothing is up.
func (p Place) Stop(ctx context.Context) error {
	o, err := p.owner()
	if err != nil {
		return err
	}
	if err := syscall.Kill(o.Pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("end process %d: %w", o.Pid, err)
	}
	for {
		kept, err := p.kept()
		if err != nil || !kept {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d does not end: %w; its log is %s", o.Pid, ctx.Err(), p.File("log"))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
