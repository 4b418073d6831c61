//go:build !unix

package wasihttp

const nonblock = 0
