package wasihttp

import (
	"math"
	"net/http"
	"sync/atomic"
	"syscall"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxFetches bounds the requests that one guest has under way.
const maxFetches = 256

// underWay counts those of all guests of this process. They must leave descriptors for the connections that guests are for.
var underWay atomic.Int64

// maxUnderWay bounds them: an eighth of the descriptors that the process may have.
var maxUnderWay = func() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 128
	}
	return int64(min(limit.Cur, math.MaxInt64) / 8)
}()

// guest is what one instance has of wasi:http. It belongs to the goroutine that runs the guest.
type guest struct {
	client  *client
	reply   *reply // nil: it answers no request
	fetches map[*fetch]struct{}
	held    int // bytes, as hold has it
}

// state is what wasi:http needs of the state of an instance.
type state interface{ http() *guest }

func guestOf(c *component.Call) *guest { return c.State().(state).http() }

// waits is called when the guest is about to wait: what it has said so far is sent.
func (g *guest) waits() {
	if g.reply != nil {
		g.reply.waits()
	}
	for f := range g.fetches {
		if f.out != nil {
			f.out.now()
		}
	}
}

// hasNoBody reports whether the answer to the guest's request has no body, whatever the guest says.
func (g *guest) hasNoBody() bool { return g.reply != nil && g.reply.x.r.Method == http.MethodHead }

// close ends what the guest has left under way. The guest has ended.
func (g *guest) close() {
	for f := range g.fetches {
		f.close()
	}
}

// trapped ends a guest that uses wasi:http in a way that the specification answers with a trap.
func trapped(reason string) error { return &instance.TrapError{Reason: "wasi:http: " + reason} }
