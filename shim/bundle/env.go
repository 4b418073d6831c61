//go:build linux

package bundle

import (
	"slices"
	"strings"
)

// DefaultEnv gives the container's process a variable that it has no value for. RunHolder writes it.
func (s *Spec) DefaultEnv(name, value string) error {
	env := s.known.Process.Env
	if slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") && len(v) > len(name)+1 }) {
		return nil
	}
	s.known.Process.Env = append(slices.Clip(env), name+"="+value)
	return set(s.process, "env", s.known.Process.Env)
}
