package wasihttp

import "testing"

func TestItTrimsOnceThereIsSomethingToGiveBack(t *testing.T) {
	if resident() == 0 {
		t.Skip("the system does not tell how much memory a process has")
	}
	freed := 0
	v := trimmer{kept: func() bool { freed++; return true }}
	v.trim()
	v.trim()
	if freed != 1 {
		t.Errorf("trimmed %d times with nothing in between, want 1", freed)
	}
	v.left = 1 // as if all there is had come since
	v.trim()
	if freed != 2 {
		t.Errorf("trimmed %d times, want 2", freed)
	}
}
