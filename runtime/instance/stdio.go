package instance

import "io"

// stdin and stdout stand between the guest and the caller's reader and writers. They hide what else those are: of an *os.File wazero
// would poll the descriptor, which the end of a context does not wake.
type stdin struct {
	i *Instance
	r io.Reader
}

func (s stdin) Read(p []byte) (int, error) {
	s.i.giveTurn()
	return s.r.Read(p)
}

type stdout struct {
	i *Instance
	w io.Writer
}

func (s stdout) Write(p []byte) (int, error) {
	s.i.giveTurn()
	return s.w.Write(p)
}
