package lab

import (
	"os"
	"strconv"
	"sync"
	"time"
)

// PatienceVar says, as a whole number, how many times longer than usual
// everything may take: on a processor that is emulated, say.
const PatienceVar = "MAYFLY_PATIENCE"

var patience = sync.OnceValue(func() time.Duration {
	n, _ := strconv.Atoi(os.Getenv(PatienceVar)) // what is no number is no reason to wait longer
	return time.Duration(max(1, n))
})

// Patience is how long to wait for what should take less than d.
func Patience(d time.Duration) time.Duration { return d * patience() }
