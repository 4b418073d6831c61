package wasihttp

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

func TestErrorsOfTheSystemHaveTheirCodes(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	read := func(err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	for _, tc := range []struct {
		name     string
		err      error
		answered bool
		want     int
	}{
		{"a name that does not exist", &net.DNSError{IsNotFound: true}, false, codeDNSError},
		{"a name server that fails", &net.DNSError{IsTemporary: true}, false, codeDNSError},
		{"a name server that is silent", &net.DNSError{IsTimeout: true}, false, codeDNSTimeout},
		{"an address that a name must not have", fmt.Errorf("connect: %w", outbound.ErrRefused), false, codeDestinationIPProhibited},
		{"refused", dial(syscall.ECONNREFUSED), false, codeConnectionRefused},
		{"silence", dial(syscall.ETIMEDOUT), false, codeConnectionTimeout},
		{"no way", dial(syscall.EHOSTUNREACH), false, codeDestinationIPUnroutable},
		{"no network", dial(syscall.ENETUNREACH), false, codeDestinationIPUnroutable},
		{"no descriptors", dial(syscall.EMFILE), false, codeConnectionLimitReached},
		{"forbidden by the system", dial(syscall.EPERM), false, codeDestinationUnavailable},
		{"a reset before the answer", read(syscall.ECONNRESET), false, codeConnectionTerminated},
		{"a reset in the answer", read(syscall.ECONNRESET), true, codeResponseIncomplete},
		{"anything else", errors.New("anything"), false, codeInternalError},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := classify(context.Background(), tc.err, tc.answered)
			if got.code != tc.want || got.value().Case() != tc.want || !errors.Is(got, tc.err) && !errors.Is(got, errors.Unwrap(tc.err)) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestErrorCodesAsGuestsSeeThem(t *testing.T) {
	ask := func(err error) (component.Value, bool) {
		v, failed := httpErrorCode(nil, []component.Value{wasiio.NewError(err)})
		if failed != nil {
			t.Fatal(failed)
		}
		return v.Some()
	}
	if v, ok := ask(fmt.Errorf("read: %w", &codeError{code: codeResponseBodySize, payload: abi.Some(abi.U64(7))})); !ok || v.Case() != codeResponseBodySize {
		t.Errorf("an error with a code: case %d, %t", v.Case(), ok)
	} else if n, ok := v.Payload().Some(); !ok || n.U64() != 7 {
		t.Errorf("its payload is %d", n.U64())
	}
	if v, ok := ask(fmt.Errorf("%w: EOF", errBodyBroken)); !ok || v.Case() != codeConnectionTerminated {
		t.Errorf("a request's body that broke off: case %d, %t", v.Case(), ok)
	}
	if _, ok := ask(errors.New("disk full")); ok {
		t.Error("what is not HTTP's has a code")
	}
	if got := len(codeNames); got != codeInternalError+1 {
		t.Errorf("%d names", got)
	}
}

// The system's roots are read once in a process, so each case has its own.
func TestRoots(t *testing.T) {
	if file := os.Getenv("MAYFLY_TEST_ROOTS"); file != "" {
		fmt.Printf("bundled: %t, ours: %t\n", roots().Equal(bundled()), roots().Equal(poolOf(t, file)))
		return
	}
	dir := t.TempDir()
	file, none := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "none")
	if err := os.WriteFile(file, []byte(testCA(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, file, dir, want string }{
		{"where the system has none", none, none, "bundled: true, ours: false"},
		{"SSL_CERT_FILE", file, none, "bundled: false, ours: true"},
		{"SSL_CERT_DIR", none, dir, "bundled: false, ours: true"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestRoots$")
			cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+tc.file, "SSL_CERT_DIR="+tc.dir, "MAYFLY_TEST_ROOTS="+file)
			if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), tc.want) {
				t.Errorf("got %s, %v", out, err)
			}
		})
	}
}

// poolOf are the authorities in a file.
func poolOf(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// testCA is a certificate in PEM.
func testCA(t *testing.T) string {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}
