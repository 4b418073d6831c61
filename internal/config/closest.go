package config

// maxDistance is how many letters may be wrong in a name that is still recognised.
const maxDistance = 2

// closest returns the name that word was probably meant to be, "" when none is near.
func closest(word string, names []string) string {
	best, least := "", maxDistance+1
	for _, n := range names {
		// The length alone rules most out, and bounds the work for a hostile word.
		if abs(len(n)-len(word)) >= least {
			continue
		}
		if d := distance(word, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's: how many letters to add, drop or change to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
