package figures

import (
	"fmt"
	"slices"
)

// Spread is what a figure was in the rounds of a run: its middle, and how far
// the rounds are from each other.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf is that of a figure's values; zero when there are none.
func SpreadOf(values []float64) Spread {
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	s := slices.Sorted(slices.Values(values))
	return Spread{(s[(n-1)/2] + s[n/2]) / 2, s[0], s[n-1]}
}

// Ratio divides figures round by round, so that what the machine did besides in
// a round is in both: a's by b's. A round in which either has nothing, 0, is
// left out.
func Ratio(a, b []float64) Spread {
	var all []float64
	for i := range min(len(a), len(b)) {
		if a[i] != 0 && b[i] != 0 {
			all = append(all, a[i]/b[i])
		}
	}
	return SpreadOf(all)
}

// String is the spread in a few characters: "1.24 (1.20–1.31)".
func (s Spread) String() string {
	return fmt.Sprintf("%s (%s–%s)", Three(s.Median), Three(s.Min), Three(s.Max))
}

// Three is a number with three digits that count, as far as it has them.
func Three(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
