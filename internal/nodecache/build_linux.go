package nodecache

import (
	"fmt"
	"syscall"
)

// changed is the time of the last change of what the kernel knows of a file, which nobody can set.
func changed(st *syscall.Stat_t) string { return fmt.Sprint(st.Ctim.Nano()) }
