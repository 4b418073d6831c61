package wasihttp

import "testing"

func TestResidentIsWhatBelongsToNoFile(t *testing.T) {
	for _, tc := range []struct {
		name, statm string
		want        uint64
	}{
		{"a process", "310042 4821 3001 1200 0 20000 0\n", 1820 * 4096},
		{"one that has files only", "10 5 5 0 0 0 0\n", 0},
		{"counts that were not taken together", "10 5 6 0 0 0 0\n", 0},
		{"nothing", "", 0},
		{"no numbers", "a b c d\n", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := anonymous(tc.statm, 4096); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
	if resident() == 0 {
		t.Error("this process has no memory")
	}
}
