//go:build !linux

package wasihttp

// left reports whether the client has closed the connection. Where the system does not say, that is seen when somebody reads.
func (c *conn) left() bool { return false }
