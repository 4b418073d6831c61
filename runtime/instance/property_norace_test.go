//go:build !race

package instance

const underRace = false
