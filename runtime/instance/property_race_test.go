//go:build race

package instance

const underRace = true
