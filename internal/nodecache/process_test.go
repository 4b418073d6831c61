package nodecache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is started again to be another process: what it does then is named by this variable.
const playVariable = "NODECACHE_TEST_PART"

var parts = map[string]func(args []string) int{"user": playUser, "hanging": playHanging}

// modules is how many different entries the processes of a test want.
const modules = 3

// playUser wants all entries, makes those that are missing, and makes room between them. What it makes it tells on stdout.
func playUser(args []string) int {
	limit, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return fail(err)
	}
	c, err := Open(args[0], build)
	if err != nil {
		return fail(err)
	}
	var keep []*Entry
	for i := range modules {
		n := (i + os.Getpid()) % modules
		e, err := c.Fill(context.Background(), number(n), func(_ context.Context, w Work) error { return slowly(args[0], w, n) })
		if err != nil {
			return fail(err)
		}
		keep = append(keep, e)
		b, err := os.ReadFile(filepath.Join(e.Path(), "code"))
		if want := fmt.Sprint("module ", n); err != nil || string(b) != want {
			return fail(fmt.Errorf("want %q: got %q, %w", want, b, err))
		}
		if err := c.Evict(limit); err != nil {
			return fail(err)
		}
		if _, err := os.Stat(e.Path()); err != nil {
			return fail(fmt.Errorf("what is in use was removed: %w", err))
		}
	}
	for _, e := range keep {
		e.Close()
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// slowly makes an entry in steps, and sees that nobody else does so in the same slot.
func slowly(dir string, w Work, n int) error {
	busy := filepath.Join(dir, fmt.Sprint("busy-", w.Slot))
	if w.Slot >= runtime.NumCPU() {
		return errors.New("there are fewer slots")
	}
	f, err := os.OpenFile(busy, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("two makers have one slot: %w", err)
	}
	defer os.Remove(busy)
	defer f.Close()
	fmt.Println("made", n)
	code := filepath.Join(w.Dir, "code")
	if err := os.WriteFile(code, []byte("mod"), 0o600); err != nil {
		return err
	}
	time.Sleep(20 * time.Millisecond)
	return os.WriteFile(code, fmt.Append(nil, "module ", n), 0o600)
}

// playHanging begins to make an entry, says so, and hangs.
func playHanging(args []string) int {
	c, err := Open(args[0], build)
	if err != nil {
		return fail(err)
	}
	_, err = c.Fill(context.Background(), digest, func(_ context.Context, w Work) error {
		err := os.WriteFile(filepath.Join(w.Dir, "half"), nil, 0o600)
		fmt.Println("half")
		time.Sleep(time.Hour)
		return err
	})
	return fail(err)
}

func process(part string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), playVariable+"="+part, "GOMAXPROCS=1")
	return cmd
}

// users runs so many processes at once, which make room to a limit all the while, and returns how often each entry was made.
func users(t *testing.T, dir string, n int, limit int64) map[string]int {
	t.Helper()
	var mu sync.Mutex // guards made
	made := map[string]int{}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			out, err := process("user", dir, strconv.FormatInt(limit, 10)).CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			for line := range strings.Lines(string(out)) {
				made[strings.TrimSpace(line)]++
			}
		})
	}
	all.Wait()
	return made
}

func TestAHundredProcessesMakeEachEntryOnce(t *testing.T) {
	made := users(t, t.TempDir(), 100, 1<<20)
	for n := range modules {
		if m := made[fmt.Sprint("made ", n)]; m != 1 {
			t.Errorf("module %d was made %d times: %v", n, m, made)
		}
	}
}

func TestProcessesThatMakeRoomTakeNothingFromEachOther(t *testing.T) {
	dir := t.TempDir()
	users(t, dir, 50, 0)
	c, err := Open(dir, build)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Evict(0); err != nil {
		t.Error(err)
	}
	if left := names(t, c); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAMakerThatIsKilledIsFollowedByTheNext(t *testing.T) {
	c := open(t)
	maker := process("hanging", c.dir)
	out, err := maker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := maker.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 4)
	if _, err := out.Read(said); err != nil || !bytes.Equal(said, []byte("half")) {
		t.Fatalf("%q, %v", said, err)
	}
	if err := c.Evict(0); err != nil { // which does not take it from the maker
		t.Error(err)
	}
	if left := names(t, c); len(left) != 1 {
		t.Errorf("there are %v", left)
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		time.Sleep(20 * time.Millisecond)
		_ = maker.Process.Kill()
		_ = maker.Wait()
	}()
	fill(t, c, digest, "whole")
	<-killed
	e, err := c.Lookup(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	files, err := os.ReadDir(e.Path())
	if err != nil || len(files) != 1 || contents(t, e) != "whole" {
		t.Errorf("%v, %v", files, err)
	}
}
