package wasihttp

import (
	"fmt"
	"runtime/debug"
)

// recovered makes an error of a panic: a mistake of the host's ends the one request in which it shows. Within a call of the guest wazero
// does the same, and net/http does it in its handlers.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("mayfly made a mistake, please report it: %v\n%s", v, debug.Stack())
	}
}
