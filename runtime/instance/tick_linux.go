//go:build amd64 || arm64

package instance

import (
	"math"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

// ticker changes a global every so often while guests run, by which those that compute see that they are to yield.
//
// Go could not: when a collection begins it stops everything that is Go, and waits for the guests. So it is a thread of the system that
// is in a call of the system, as far as Go's scheduler knows, which neither stops such a thread nor waits for it. What the thread runs
// meanwhile is a loop in assembly that sleeps and counts. While no guest runs it waits to be woken.
type ticker struct {
	words
	done chan struct{}
}

// newTicker returns a ticker for a global, nil when it cannot be found.
func newTicker(m api.Module, global api.MutableGlobal) *ticker {
	word := tickWord(m, global)
	if word == nil {
		return nil
	}
	t := &ticker{words: words{tick: word}, done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.words.run()
	}()
	for atomic.LoadUint32(&t.started) == 0 {
		runtime.Gosched()
	}
	return t
}

// begin and end enclose a call of a guest.
func (t *ticker) begin() {
	if t == nil {
		return
	}
	atomic.AddInt32(&t.running, 1)
	if atomic.LoadUint32(&t.parked) != 0 {
		t.wake()
	}
}

func (t *ticker) end() {
	if t != nil {
		atomic.AddInt32(&t.running, -1)
	}
}

// close ends the thread. No guest runs.
func (t *ticker) close() {
	if t == nil {
		return
	}
	atomic.AddInt32(&t.running, math.MinInt32)
	t.wake()
	<-t.done
}

// run returns when the thread is to end. Between the two calls of the runtime there is no Go: no stack may grow and no pointer be written.
//
//go:nosplit
//go:norace
func (w *words) run() {
	entersyscallblock()
	keepTicking(w)
	exitsyscall()
}

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// keepTicking is the loop of the thread.
//
//go:noescape
func keepTicking(w *words)

// Operations of futex(2).
const (
	futexWait = 0 | futexPrivate
	futexWake = 1 | futexPrivate

	futexPrivate = 128
)

func (w *words) wake() {
	_, _, _ = syscall.RawSyscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&w.running)), futexWake, 1, 0, 0, 0)
}
