package figures

import (
	"encoding/json"
	"time"
)

// Quantile is one point of a distribution: the part Q of a sample took no
// longer than V microseconds.
type Quantile struct{ Q, V float64 }

// MarshalJSON implements json.Marshaler: a pair of numbers.
func (q Quantile) MarshalJSON() ([]byte, error) { return json.Marshal([2]float64{q.Q, q.V}) }

// UnmarshalJSON implements json.Unmarshaler.
func (q *Quantile) UnmarshalJSON(text []byte) error {
	var pair [2]float64
	err := json.Unmarshal(text, &pair)
	q.Q, q.V = pair[0], pair[1]
	return err
}

// Distribution is a sample of times from its fastest to its slow end, as far as
// there are enough of them: one of a thousand needs a thousand.
func Distribution(t Times) []Quantile {
	if len(t) == 0 {
		return nil
	}
	sorted := t.Sorted()
	var all []Quantile
	for _, q := range []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999} {
		if float64(len(t))*(1-q) > 1-1e-6 {
			all = append(all, Quantile{q, Microseconds(sorted.Quantile(q))})
		}
	}
	return all
}

// Microseconds is a time as a number.
func Microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
