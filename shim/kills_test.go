//go:build linux

package shim

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/emptypb"
)

// crowd is containers that end when the test says so. It notes when each was
// sent a signal.
type crowd struct {
	taskapi.TTRPCTaskService

	mu    sync.Mutex
	begin time.Time
	to    []string        // whom a signal was sent
	sent  []time.Duration // when
	ended map[string]chan struct{}
	fails error
}

func newCrowd() *crowd { return &crowd{begin: time.Now(), ended: map[string]chan struct{}{}} }

func (c *crowd) end(id string) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended[id] == nil {
		c.ended[id] = make(chan struct{})
	}
	return c.ended[id]
}

func (c *crowd) Kill(_ context.Context, r *taskapi.KillRequest) (*emptypb.Empty, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = append(c.to, r.ID)
	c.sent = append(c.sent, time.Since(c.begin))
	return nil, c.fails
}

func (c *crowd) Wait(ctx context.Context, r *taskapi.WaitRequest) (*taskapi.WaitResponse, error) {
	select {
	case <-c.end(r.ID):
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// told is whom the signal number n was sent.
func (c *crowd) told(n int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to[n]
}

// times are when signals were sent, in their order.
func (c *crowd) times() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.sent)
}

func (c *crowd) signals() int { return len(c.times()) }

// killAll sends a signal to n containers at once.
func killAll(t *testing.T, s *service, n int, signal unix.Signal) {
	t.Helper()
	for i := range n {
		go func() {
			_, _ = s.Kill(t.Context(), &taskapi.KillRequest{ID: strconv.Itoa(i), Signal: uint32(signal)})
		}()
	}
	synctest.Wait()
}

func inCrowd(t *testing.T, f func(*testing.T, *service, *crowd)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSidecars(t.Context(), "")
		c := newCrowd()
		s.TTRPCTaskService = c
		f(t, s, c)
		s.close()
	})
}

func TestAContainerIsKilledWhenOneBeforeItHasEnded(t *testing.T) {
	inCrowd(t, func(t *testing.T, s *service, c *crowd) {
		const all = 3 * mostKills
		killAll(t, s, all, unix.SIGKILL)
		for ended := range all {
			if got, want := c.signals(), min(all, mostKills+ended); got != want {
				t.Fatalf("%d signals are sent, want %d when %d containers have ended", got, want, ended)
			}
			close(c.end(c.told(ended)))
			synctest.Wait()
		}
	})
}

func TestAContainerThatTakesItsTimeHoldsUpNobodyForLong(t *testing.T) {
	for _, tc := range []struct {
		name     string
		signal   unix.Signal
		patience time.Duration
	}{
		{"asked to end", unix.SIGTERM, askedPatience},
		{"killed", unix.SIGKILL, killedPatience},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inCrowd(t, func(t *testing.T, s *service, c *crowd) {
				killAll(t, s, 2*mostKills, tc.signal)
				time.Sleep(time.Hour)
				if want := append(make([]time.Duration, mostKills), slices.Repeat([]time.Duration{tc.patience}, mostKills)...); !slices.Equal(c.times(), want) {
					t.Errorf("signals were sent after %v, want %v", c.times(), want)
				}
			})
		})
	}
}

func TestASignalThatIsNotSentHoldsUpNobody(t *testing.T) {
	inCrowd(t, func(t *testing.T, s *service, c *crowd) {
		c.fails = errors.New("no such container")
		killAll(t, s, 5*mostKills, unix.SIGKILL)
		if n := c.signals(); n != 5*mostKills {
			t.Errorf("%d of %d were tried", n, 5*mostKills)
		}
	})
}

func TestSignalsToExecProcessesDoNotWait(t *testing.T) {
	inCrowd(t, func(t *testing.T, s *service, c *crowd) {
		killAll(t, s, mostKills, unix.SIGKILL)
		if _, err := s.Kill(t.Context(), &taskapi.KillRequest{ID: "0", ExecID: "exec", Signal: uint32(unix.SIGKILL)}); err != nil || c.signals() != mostKills+1 {
			t.Errorf("%d signals are sent, %v", c.signals(), err)
		}
	})
}

func TestWhoWaitsNoLongerSendsNoSignal(t *testing.T) {
	inCrowd(t, func(t *testing.T, s *service, c *crowd) {
		killAll(t, s, mostKills, unix.SIGKILL)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Kill(ctx, &taskapi.KillRequest{ID: "late", Signal: uint32(unix.SIGKILL)}); err == nil || c.signals() != mostKills {
			t.Errorf("%d signals are sent, %v", c.signals(), err)
		}
	})
}
