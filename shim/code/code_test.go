//go:build linux

package code

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/log"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/leak"
	"github.com/mayfly-run/mayfly/internal/testprogram"
	"github.com/mayfly-run/mayfly/shim/lockdown"
)

func TestMain(m *testing.M) {
	if os.Getenv(lockdown.StageVariable) != "" {
		os.Exit(lockdown.Stage(os.Args[1:], os.Stderr))
	}
	leak.Main(m)
}

// engine is the program that compiles.
var engine = testprogram.Once("./testdata/engine")

// node is where there are a cache and an engine.
type node struct {
	Store
	t   testing.TB
	log *lines
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newNode(t testing.TB) *node {
	t.Helper()
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID}
	if os.Geteuid() != 0 || cmd.Run() != nil {
		t.Skip("needs root, to make namespaces")
	}
	dir := t.TempDir()
	// A disk of its own: that of this machine may be so full that the cache does not grow.
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=128m,mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	n := &node{Store{Dir: filepath.Join(dir, "cache"), Limit: 1 << 20, Engine: filepath.Join(dir, "engine")}, t, &lines{}}
	engine(t, n.Engine)
	return n
}

// begin is what Create does with a module.
func (n *node) begin(ctx context.Context, module string) *Code {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), "module")
	if err := os.WriteFile(path, []byte(module), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return n.beginFile(ctx, path)
}

func (n *node) beginFile(ctx context.Context, path string) *Code {
	n.t.Helper()
	f, err := os.Open(path)
	if err != nil {
		n.t.Fatal(err)
	}
	defer f.Close()
	logger := logrus.New()
	logger.SetOutput(n.log)
	return n.Begin(log.WithLogger(ctx, logrus.NewEntry(logger)), "a", f)
}

// dir waits for the code and returns its directory, nil when there is none.
func (n *node) dir(c *Code) *os.File {
	n.t.Helper()
	dir, err := c.Wait(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	if dir != nil {
		n.t.Cleanup(func() { dir.Close() })
	}
	return dir
}

// read reads a file as the engine does.
func read(dir *os.File, name string) string {
	if dir == nil {
		return "none"
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), name))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// times is how often something was compiled.
func (n *node) times() int { return strings.Count(n.log.String(), "compiled=true") }

// entries are the directories of the cache that have the name of one.
func (n *node) entries() []string {
	n.t.Helper()
	all, err := filepath.Glob(filepath.Join(n.Dir, strings.Repeat("?", 64), "*"))
	if err != nil {
		n.t.Fatal(err)
	}
	return all
}

func TestAModuleIsCompiledOnce(t *testing.T) {
	n := newNode(t)
	for range 2 {
		c := n.begin(t.Context(), "works")
		if got := read(n.dir(c), "code"); got != "compiled: works" {
			t.Errorf("got %q; log: %s", got, n.log)
		}
		c.Close()
		c.Close()
	}
	if n.times() != 1 || len(n.entries()) != 1 {
		t.Errorf("compiled %d times: %v", n.times(), n.entries())
	}
	if log := n.log.String(); strings.Count(log, "compiling the sidecar's module") != 1 {
		t.Errorf("its beginning is not in the log, or too often: %s", log)
	}
}

// BenchmarkFound is what a container's start waits for when its code is in the cache, here as many bytes as the module.
func BenchmarkFound(b *testing.B) {
	for _, size := range []int{100 << 10, 12 << 20} {
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			n := newNode(b)
			path := filepath.Join(b.TempDir(), "module")
			if err := os.WriteFile(path, []byte("works\n"+strings.Repeat("x", size)), 0o600); err != nil {
				b.Fatal(err)
			}
			start := func() {
				c := n.beginFile(b.Context(), path)
				if n.dir(c) == nil {
					b.Fatal(n.log)
				}
				c.Close()
			}
			start()
			b.SetBytes(int64(size))
			for b.Loop() {
				start()
			}
		})
	}
}

func TestManyWhoStartAtOnceCompileOnce(t *testing.T) {
	n := newNode(t)
	var wait sync.WaitGroup
	for range 12 {
		wait.Go(func() {
			c := n.begin(t.Context(), "is slow")
			defer c.Close()
			dir, err := c.Wait(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer dir.Close()
			if got := read(dir, "code"); got != "compiled: is slow" {
				t.Errorf("got %q", got)
			}
		})
	}
	wait.Wait()
	if n.times() != 1 {
		t.Errorf("compiled %d times; log: %s", n.times(), n.log)
	}
}

func TestWithoutCodeThereIsAReasonInTheLog(t *testing.T) {
	for _, tc := range []struct {
		module, log string
	}{
		{"refuses", `is bad: [31mimport`},
		{"lies", "of another module"},
		{"links", "link"},
		{"nests", "sub"},
		{"adds", "not those of its manifest"},
		{"writes nothing", "manifest"},
	} {
		t.Run(tc.module, func(t *testing.T) {
			n := newNode(t)
			c := n.begin(t.Context(), tc.module)
			if got := read(n.dir(c), "code"); got != "none" {
				t.Errorf("got %q", got)
			}
			c.Close()
			if !strings.Contains(n.log.String(), tc.log) {
				t.Errorf("log: %s", n.log)
			}
			if left := n.entries(); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestACacheThatCannotBeUsedIsNoError(t *testing.T) {
	for name, breakIt := range map[string]func(*node) error{
		"no engine":     func(n *node) error { return os.Remove(n.Engine) },
		"a file":        func(n *node) error { return os.WriteFile(n.Dir, nil, 0o600) },
		"everybody's":   func(n *node) error { return errors.Join(os.Mkdir(n.Dir, 0o700), os.Chmod(n.Dir, 0o777)) },
		"somebody's":    func(n *node) error { return errors.Join(os.Mkdir(n.Dir, 0o700), os.Chown(n.Dir, 12345, 12345)) },
		"no directory":  func(n *node) error { return os.Symlink("/proc/version", n.Dir) },
		"never written": func(n *node) error { return os.Symlink("/proc", n.Dir) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			if err := breakIt(n); err != nil {
				t.Fatal(err)
			}
			c := n.begin(t.Context(), "works")
			if got := read(n.dir(c), "code"); got != "none" {
				t.Errorf("got %q", got)
			}
			c.Close()
			if !strings.Contains(n.log.String(), "level=warning") {
				t.Errorf("log: %s", n.log)
			}
		})
	}
}

func TestABrokenEntryIsMadeAgain(t *testing.T) {
	for name, breakIt := range map[string]func(file string) error{
		"a bit is another": func(f string) error {
			b, err := os.ReadFile(f)
			b[0] ^= 1
			return errors.Join(err, os.WriteFile(f, b, 0o600))
		},
		"a file is cut":     func(f string) error { return os.Truncate(f, 1) },
		"a file is missing": os.Remove,
		"there is one more": func(f string) error { return os.WriteFile(f+"-more", nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNode(t)
			first := n.begin(t.Context(), "works")
			n.dir(first)
			defer first.Close() // it is broken under somebody who uses it
			if len(n.entries()) == 0 {
				t.Fatalf("there is no entry; log: %s", n.log)
			}
			files, err := filepath.Glob(n.entries()[0] + "/*")
			if err != nil || len(files) != 2 {
				t.Fatal(files, err)
			}
			if err := breakIt(files[0]); err != nil {
				t.Fatal(err)
			}
			second := n.begin(t.Context(), "works")
			defer second.Close()
			if got := read(n.dir(second), "code"); got != "compiled: works" || n.times() != 2 {
				t.Errorf("got %q, compiled %d times; log: %s", got, n.times(), n.log)
			}
		})
	}
}

func TestWhatIsInUseIsNotRemoved(t *testing.T) {
	n := newNode(t)
	n.Limit = 1
	first := n.begin(t.Context(), "works\n1")
	dir := n.dir(first)
	second := n.begin(t.Context(), "works\n2")
	<-second.ended
	second.Close()
	third := n.begin(t.Context(), "works\n3")
	<-third.ended // when there is room: the second went
	third.Close()
	if len(n.entries()) != 2 || read(dir, "code") != "compiled: works\n1" {
		t.Errorf("there are %v", n.entries())
	}
	first.Close()
	fourth := n.begin(t.Context(), "works\n4")
	<-fourth.ended
	fourth.Close()
	if len(n.entries()) != 1 {
		t.Errorf("there are %v", n.entries())
	}
}

func TestNobodyWritesThroughTheDescriptor(t *testing.T) {
	n := newNode(t)
	c := n.begin(t.Context(), "works")
	defer c.Close()
	f := n.dir(c)
	if f == nil {
		t.Fatal(n.log)
	}
	dir := int(f.Fd())
	_, write := unix.Openat(dir, "code", unix.O_WRONLY, 0)
	_, create := unix.Openat(dir, "more", unix.O_WRONLY|unix.O_CREAT, 0o600)
	for what, err := range map[string]error{
		"write": write, "create": create, "remove": unix.Unlinkat(dir, "code", 0), "chmod": unix.Fchmod(dir, 0o777),
		"up":    openUp(dir),
		"mount": unix.MountSetattr(dir, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}),
	} {
		if what == "mount" {
			continue // root of the node may; a container's has not the capability
		}
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// openUp sees that ".." of the directory is the directory, as of any file system's root.
func openUp(dir int) error {
	var here, up unix.Stat_t
	if err := errors.Join(unix.Fstat(dir, &here), unix.Fstatat(dir, "..", &up, 0)); err != nil {
		return err
	}
	if here.Ino != up.Ino {
		return errors.New("it leads out")
	}
	return unix.EROFS
}

// A disk that is nearly full is left to those who need it: nothing is compiled for it.
func TestTheCacheLeavesRoomOnTheDisk(t *testing.T) {
	n := newNode(t)
	if err := os.Mkdir(n.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", n.Dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(n.Dir, 0); err != nil {
			t.Error(err)
		}
	}()
	other := filepath.Join(n.Dir, "other")
	if err := os.WriteFile(other, make([]byte, 950<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	c := n.begin(t.Context(), "works")
	if got := read(n.dir(c), "code"); got != "none" || !strings.Contains(n.log.String(), "the cache does not grow") {
		t.Errorf("got %q; log: %s", got, n.log)
	}
	c.Close()
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	c = n.begin(t.Context(), "works")
	dir, err := c.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := read(dir, "code"); got != "compiled: works" {
		t.Errorf("got %q; log: %s", got, n.log)
	}
	dir.Close()
	c.Close()
}

func TestWhoStopsWaitingStopsTheCompiler(t *testing.T) {
	n := newNode(t)
	c := n.begin(t.Context(), "hangs")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	c.Stop()
	if dir := n.dir(c); dir != nil {
		t.Error("there is code")
	}
	c.Close()
	if left := n.entries(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if strings.Contains(n.log.String(), "level=warning") {
		t.Errorf("log: %s", n.log)
	}
}

func TestNoCodeIsNoCode(t *testing.T) {
	var c *Code
	if dir, err := c.Wait(t.Context()); dir != nil || err != nil {
		t.Errorf("got %v, %v", dir, err)
	}
	c.Stop()
	c.Close()
}

func TestAModuleThatIsTooLargeIsNotRead(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(maxModule + 1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := copyModule(f); err == nil {
		t.Error("it is read")
	}
}

func TestOnlyFilesAreCollected(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for name, put := range map[string]func(string) error{
		"pipe":   func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"socket": func(p string) error { return syscall.Mknod(p, syscall.S_IFSOCK|0o600, 0) },
		"link":   func(p string) error { return os.Symlink("/etc/passwd", p) },
		"hole":   func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Truncate(p, maxBytes+1)) },
	} {
		path := filepath.Join(from, name)
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		dir, err := os.Open(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := collect(dir, to); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", name, err)
		}
		dir.Close()
		os.Remove(path)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
		t.Errorf("collected: %v, %v", slices.Collect(slices.Values(left)), err)
	}
}
