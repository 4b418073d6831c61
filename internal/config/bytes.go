package config

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

var errSize = errors.New("want a size in bytes, with Ki, Mi, Gi (or k, M, G) behind it")

// units are Kubernetes' quantity suffixes, longest first.
var units = []struct {
	suffix string
	size   uint64
}{
	{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50},
	{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15},
}

// ParseBytes reads a size as Kubernetes writes it: a whole number, with Ki, Mi, Gi, Ti, Pi or k, M, G, T, P behind it.
func ParseBytes(s string) (uint64, error) {
	size := uint64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.suffix); ok {
			s, size = rest, u.size
			break
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, errSize
	}
	over, product := bits.Mul64(n, size)
	if over != 0 {
		return 0, errSize
	}
	return product, nil
}
