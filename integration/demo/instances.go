package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// instances counts the different instances among answers, each one a line.
func instances(answers string) (answered, different int, err error) {
	seen := map[string]bool{}
	for line := range strings.Lines(answers) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var a struct{ Instance string }
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Instance == "" {
			return 0, 0, fmt.Errorf("an answer names no instance: %q", line)
		}
		answered++
		seen[a.Instance] = true
	}
	return answered, len(seen), nil
}
