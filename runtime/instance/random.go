package instance

import (
	"crypto/rand"
	"runtime"
)

// randomChunk bounds what is drawn between two looks at the context.
const randomChunk = 64 << 10

// random is an instance's source of random bytes: the system's. There is nothing between the two that could repeat.
type random struct{ i *Instance }

// Read implements io.Reader and never fails.
func (r random) Read(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if r.i.ctx.Err() != nil {
			panic(errStopped)
		}
		chunk := p[:min(len(p), randomChunk)]
		p = p[len(chunk):]
		_, _ = rand.Read(chunk) // does not fail: it ends the process instead
		if len(p) > 0 {
			runtime.Gosched()
		}
	}
	return n, nil
}
