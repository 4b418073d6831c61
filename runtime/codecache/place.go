package codecache

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// KeySize is the size of what wazero calls code by: a hash of the module, and of what the processor can do.
const KeySize = sha256.Size

// place is what wazero takes for a directory with code. It has one compilation at a time to do with.
type place struct {
	text   io.Writer // where the machine code of what is compiled goes
	code   *Code     // what else there was
	asked  bool      // only the key is wanted
	key    [KeySize]byte
	supply *supply // of what is loaded
}

// files is what wazero has for that, under the name of filecache.Cache.
type files interface {
	Get(key [KeySize]byte) (content io.ReadCloser, ok bool, err error)
	Add(key [KeySize]byte, content io.Reader) error
	Delete(key [KeySize]byte) error
}

var _ files = (*place)(nil)

// errAsked ends a compilation of which only the key was wanted.
var errAsked = errors.New("that was all")

// Get is called before a module is compiled.
func (p *place) Get(key [KeySize]byte) (io.ReadCloser, bool, error) {
	switch {
	case p.asked:
		p.key = key
		return nil, false, errAsked
	case p.supply == nil:
		return nil, false, nil
	case p.key != key:
		return nil, false, fmt.Errorf("%w: wazero looks for %x, and this is %x", ErrCode, key, p.key)
	}
	return p.supply, true, nil
}

// Add is called when a module has been compiled.
func (p *place) Add(_ [KeySize]byte, content io.Reader) (err error) {
	switch {
	case p.supply != nil:
		return fmt.Errorf("%w: wazero compiled what has no code", ErrCode)
	case p.text != nil:
		p.code, err = receive(content, p.text)
	}
	return err
}

// Delete is called for code of another version.
func (p *place) Delete([KeySize]byte) error {
	return fmt.Errorf("%w: it is of another version of wazero", ErrCode)
}
