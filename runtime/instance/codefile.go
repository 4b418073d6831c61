package instance

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/mayfly-run/mayfly/internal/compiled"
	"github.com/mayfly-run/mayfly/runtime/codecache"
	"github.com/mayfly-run/mayfly/runtime/weave"
)

// An entry of compiled code has for each compiled module, in the order in which they are compiled, a file with its machine code, to be mapped,
// and one with the rest: the codeKey, the length of the skeleton in 4 bytes, the skeleton, and what package codecache needs.

func codeFile(n int) string   { return "code-" + strconv.Itoa(n) }
func moduleFile(n int) string { return "module-" + strconv.Itoa(n) }

// moduleRest is what such a file holds.
type moduleRest struct {
	key      codeKey
	skeleton []byte
	code     *codecache.Code
}

const skeletonLength = 4 // bytes

func (m *moduleRest) append(b []byte) ([]byte, error) {
	b = append(b, m.key[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.skeleton)))
	b = append(b, m.skeleton...)
	return m.code.AppendBinary(b)
}

// parseModuleRest is the inverse of append. What it returns refers to b.
func parseModuleRest(b []byte) (*moduleRest, error) {
	m := &moduleRest{}
	if len(b) < len(m.key)+skeletonLength {
		return nil, fmt.Errorf("%w: a module of %d bytes", compiled.ErrInvalid, len(b))
	}
	b = b[copy(m.key[:], b):]
	n := binary.LittleEndian.Uint32(b)
	b = b[skeletonLength:]
	if uint64(n) > uint64(len(b)) {
		return nil, fmt.Errorf("%w: a skeleton of %d bytes in %d", compiled.ErrInvalid, n, len(b))
	}
	m.skeleton = b[:n:n]
	functions, err := weave.Bodies(m.skeleton)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", compiled.ErrInvalid, err)
	}
	if m.code, err = codecache.Parse(b[n:]); err != nil {
		return nil, fmt.Errorf("%w: %w", compiled.ErrInvalid, err)
	}
	if have := m.code.Functions(); have != functions {
		return nil, fmt.Errorf("%w: code of %d functions, where %d are declared", compiled.ErrInvalid, have, functions)
	}
	return m, nil
}
