package wasihttp

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestTheHeapGrowsToTheFloorBeforeItIsCollected(t *testing.T) {
	for _, tc := range []struct {
		used  used
		floor uint64
		want  int
	}{
		{used{4 << 20, 0}, 32 << 20, 700},
		{used{4 << 20, 3 << 20}, 32 << 20, 400},
		{used{}, 32 << 20, 800}, // before the first collection
		{used{16 << 20, 1 << 20}, 32 << 20, 100},
		{used{1 << 30, 0}, 32 << 20, 100},
	} {
		if got := tc.used.percent(tc.floor); got != tc.want {
			t.Errorf("%+v, a floor of %d: %d percent, want %d", tc.used, tc.floor, got, tc.want)
		}
	}
}

func TestTheCollectorIsSetBack(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(usualPercent)
	defer debug.SetGCPercent(before)
	stop := tuneCollector(1 << 30)
	runtime.GC()
	if tuned := debug.SetGCPercent(usualPercent); tuned <= usualPercent {
		t.Errorf("it is at %d percent", tuned)
	}
	stop()
	runtime.GC()
	if got := debug.SetGCPercent(usualPercent); got != usualPercent {
		t.Errorf("and then at %d", got)
	}
}

func TestWhoSetsTheCollectorKeepsIt(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := debug.SetGCPercent(50)
	defer debug.SetGCPercent(before)
	tuneCollector(1 << 30)()
	if got := debug.SetGCPercent(50); got != 50 {
		t.Errorf("it is at %d", got)
	}
}
