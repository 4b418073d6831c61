package wasihttp

import (
	"errors"
	"io"
	"net/http"
)

var (
	errBodyLarge  = errors.New("the request's body is larger than MAYFLY_MAX_BODY")
	errBodyBroken = errors.New("the request's body broke off")
)

// body is a request's body on its way to a guest's standard input.
type body struct {
	r     io.Reader
	wait  func()      // called before a read that may wait
	fail  func(error) // ends the request
	ended bool        // the body was read to its end
}

func newBody(w http.ResponseWriter, r *http.Request, limit int64, fail func(error)) *body {
	if r.Body == nil || r.Body == http.NoBody {
		return &body{ended: true}
	}
	return &body{r: http.MaxBytesReader(w, r.Body, limit), fail: fail}
}

// Read reads for the guest. Where the body breaks the request ends: a guest must not take a part for the whole.
func (b *body) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	b.wait()
	n, err := b.r.Read(p)
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case err == nil:
	case err == io.EOF:
		b.ended = true
	case errors.As(err, &tooLarge):
		b.fail(errBodyLarge)
	default:
		b.fail(errors.Join(errBodyBroken, err))
	}
	return n, err
}
