package smaps

import "testing"

func TestTheLinesOfARollupAreSummed(t *testing.T) {
	const text = `00400000-7ffd8c9f1000 ---p 00000000 00:00 0                              [rollup]
Rss:                1500 kB
Pss:                 900 kB
Pss_Dirty:           200 kB
Pss_Anon:            300 kB
Pss_File:            550 kB
Pss_Shmem:            50 kB
Shared_Clean:        800 kB
Private_Clean:       400 kB
Private_Dirty:       200 kB
`
	want := Usage{Private: 600 << 10, Own: 350 << 10, PSS: 900 << 10, RSS: 1500 << 10}
	if got := parse(text); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
