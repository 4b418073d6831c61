//go:build linux

package code

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/log"
	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/internal/nodecache"
	"github.com/mayfly-run/mayfly/shim/lockdown"
)

const (
	// maxModule bounds a module, in bytes: the engine takes no larger ones.
	maxModule = 256 << 20
	// maxMemory bounds what compiling takes, in bytes; half of the node's memory does, too.
	maxMemory = 2 << 30
	// processorTime bounds what compiling takes, on all processors together.
	processorTime = 5 * time.Minute
	// firstUser is the user and group that the first of those that compile at once runs as. The others have the next numbers, and
	// nobody else is there: distributions and Kubernetes' user namespaces begin with lower ones.
	firstUser = 1_835_000_000
	// maxFiles bounds the files of an entry, and maxBytes what they have together: that they took little memory says nothing of that.
	maxFiles = 8 << 10
	maxBytes = 1 << 30
	// spare is the part of the disk, one in so many, that entries leave free. Those in use are not removed to make room, and kubelet evicts
	// pods, whosesoever they are, when less than a tenth is left.
	spare = 8
)

// job is what is to be done for one module.
type job struct {
	limit  int64
	cache  *nodecache.Cache
	engine *os.File
	module *os.File // a copy in memory
	digest nodecache.Digest
}

func (s *Store) newJob(module *os.File) (_ *job, err error) {
	j := &job{limit: s.Limit}
	defer func() {
		if err != nil {
			j.close()
		}
	}()
	if err := checkKernel(); err != nil {
		return nil, err
	}
	if j.engine, err = os.Open(s.Engine); err != nil {
		return nil, err
	}
	if j.cache, err = nodecache.OpenFor(s.Dir, j.engine); err != nil {
		return nil, err
	}
	if j.module, j.digest, err = copyModule(module); err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	return j, nil
}

// copyModule copies a module into memory, where it stays what was hashed and needs no file system.
func copyModule(module *os.File) (_ *os.File, digest nodecache.Digest, err error) {
	st, err := module.Stat()
	if err != nil {
		return nil, digest, err
	}
	if st.Size() > maxModule {
		return nil, digest, fmt.Errorf("it is larger than %d MiB", maxModule>>20)
	}
	fd, err := unix.MemfdCreate("module", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, digest, err
	}
	f := os.NewFile(uintptr(fd), "module")
	h := sha256.New()
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	_, err = io.Copy(io.MultiWriter(f, h), io.NewSectionReader(module, 0, maxModule))
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, digest, err
	}
	return f, nodecache.Digest(h.Sum(nil)), nil
}

func (j *job) close() {
	for _, f := range []*os.File{j.engine, j.module} {
		if f != nil {
			f.Close()
		}
	}
}

// maxTries bounds how often an entry is made that is found broken.
const maxTries = 3

// entry returns the module's, verified, and whether it was made for that.
func (j *job) entry(ctx context.Context) (*nodecache.Entry, bool, error) {
	return j.cache.FillWhole(ctx, j.digest, nodecache.Maker{
		Fill:   j.compile,
		Verify: func(dir string) error { return compiled.Verify(dir, j.digest) },
		Broken: func(err error) {
			log.G(ctx).WithError(err).Warn("an entry of the cache is broken: it is made again")
		},
		Tries: maxTries,
	})
}

// compile fills the directory of an entry.
func (j *job) compile(ctx context.Context, w nodecache.Work) error {
	if _, err := room(w.Dir); err != nil {
		return err
	}
	log.G(ctx).WithField("module", j.name()).Info("compiling the sidecar's module, which is done once on this node")
	out, err := lockdown.Run(ctx, lockdown.Job{
		Program: j.engine,
		Args:    []string{"compile", "-out", "/", "-module", fmt.Sprint(lockdown.InputFd)},
		Input:   j.module,
		User:    firstUser + w.Slot,
		Memory:  memory(),
		CPU:     processorTime,
	})
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	defer out.Close()
	if err := collect(out, w.Dir); err != nil {
		return fmt.Errorf("copy what was compiled: %w", err)
	}
	return compiled.Verify(w.Dir, j.digest)
}

// name is the module's in the log.
func (j *job) name() string { return fmt.Sprintf("%x", j.digest[:6]) }

// memory is what compiling may take.
func memory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return maxMemory
	}
	return min(maxMemory, int64(uint64(info.Totalram)*uint64(info.Unit)/2))
}

// room is how many bytes an entry may have.
func room(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("look how much room is left for an entry: %w", err)
	}
	if fs.Bavail <= fs.Blocks/spare {
		return 0, fmt.Errorf("the disk has less than one part in %d left: the cache does not grow", spare)
	}
	return int64(min(maxBytes, (fs.Bavail-fs.Blocks/spare)*uint64(fs.Bsize))), nil
}

// collect copies the files of a hostile directory, whose size is bounded.
func collect(from *os.File, to string) error {
	left, err := room(to)
	if err != nil {
		return err
	}
	names, err := from.Readdirnames(maxFiles + 1)
	if err != nil && err != io.EOF {
		return err
	}
	if len(names) > maxFiles {
		return fmt.Errorf("there are more than %d files", maxFiles)
	}
	for _, name := range names {
		n, err := collectFile(from, name, to, left)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// collectFile copies a file that has no more than limit bytes, and returns how many it has.
func collectFile(from *os.File, name, to string, limit int64) (int64, error) {
	fd, err := unix.Openat(int(from.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("%.100q: %w", name, err)
	}
	in := os.NewFile(uintptr(fd), name)
	defer in.Close()
	st, err := in.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return 0, fmt.Errorf("%.100q is no file", name)
	}
	if st.Size() > limit {
		return 0, fmt.Errorf("there are more than %d MiB, or more than the disk has room for", maxBytes>>20)
	}
	out, err := os.OpenFile(filepath.Join(to, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.CopyN(out, in, st.Size())
	return n, errors.Join(err, out.Close())
}
