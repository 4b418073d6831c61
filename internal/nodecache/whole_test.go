package nodecache

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// whole says whether an entry is what write("whole") makes.
func whole(dir string) error {
	if b, err := os.ReadFile(filepath.Join(dir, "code")); string(b) != "whole" || err != nil {
		return errors.New("it is another")
	}
	return nil
}

func TestABrokenEntryIsMadeAgainAndAWholeOneIsNot(t *testing.T) {
	c := open(t)
	fill(t, c, digest, "broken")
	told := 0
	m := Maker{Fill: write("whole"), Verify: whole, Broken: func(error) { told++ }, Tries: 2}
	for _, want := range []bool{true, false} {
		e, made, err := c.FillWhole(t.Context(), digest, m)
		if err != nil {
			t.Fatal(err)
		}
		if made != want || told != 1 || contents(t, e) != "whole" {
			t.Errorf("made %v, told %d times, %q", made, told, contents(t, e))
		}
		e.Close()
	}
}
