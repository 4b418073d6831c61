package wasihttp

// usualStack is what a small guest's goroutine needs of stack, with the functions of the host that it calls, in bytes.
const usualStack = 14 << 10

// deepen gives the goroutine a stack of the usual size at once. A new one has 2 KB, and to double it four times while the guest is deep in
// calls, each time with all its frames to be looked at, took an eighth of a small request.
//
//go:noinline
func deepen(never bool) (sum byte) {
	if !never {
		return 0 // the stack is made large enough for what follows when the function is entered
	}
	var room [usualStack]byte
	for i := range room {
		room[i] = byte(i) ^ sum
		sum += room[len(room)-1-i]
	}
	return sum
}
