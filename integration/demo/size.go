package main

import (
	"os"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// size is that of an example in megabytes, and whether it takes seconds to
// compile that much.
func size(e lab.Example) (mb float64, large bool, err error) {
	st, err := os.Stat(e.Module)
	if err != nil {
		return 0, false, err
	}
	return float64(st.Size()) / 1e6, st.Size() > 10e6, nil
}
