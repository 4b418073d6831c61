package wasihttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"syscall"

	"github.com/mayfly-run/mayfly/internal/outbound"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
)

// failures are texts of net/http, which has no errors to compare these with, and what they mean.
var failures = []struct {
	text string
	code int
}{
	{"server response headers exceeded", codeResponseHeaderSectionSize},
	{"unsupported transfer encoding", codeResponseTransferCoding},
	{"suspiciously long trailer", codeResponseTrailerSectionSize},
	{"unexpected EOF reading trailer", codeResponseIncomplete},
	{"server closed idle connection", codeConnectionTerminated},
	{"client connection lost", codeConnectionTerminated},
	{"server sent GOAWAY and closed the connection", codeConnectionTerminated},
	{"stream error: ", codeProtocolError},
	{"connection error: ", codeProtocolError},
	{"malformed", codeProtocolError},
	{"invalid", codeProtocolError},
	{"Content-Length", codeProtocolError},
	{"HTTP/1.x transport connection broken", codeProtocolError},
	{"tls: ", codeTLSProtocolError},
}

// classify is what went wrong with a request, as precisely as it can be told. answered: part of the response has come.
func classify(ctx context.Context, err error, answered bool) *codeError {
	var known *codeError
	if errors.As(context.Cause(ctx), &known) || errors.As(err, &known) {
		return known // the request was ended for it
	}
	fail := func(code int) *codeError { return &codeError{code: code, err: err} }
	var (
		dns   *net.DNSError
		errno syscall.Errno
		op    *net.OpError
		plain tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, outbound.ErrRefused): // what the name resolves to is: the name itself has been looked at
		return fail(codeDestinationIPProhibited)
	case errors.As(err, &dns):
		return classifyDNS(dns)
	case isCertificate(err):
		return fail(codeTLSCertificateError)
	case errors.As(err, &op) && op.Op == "remote error": // crypto/tls: the peer's last word
		return alert(op)
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return fail(codeTLSProtocolError)
	case errors.As(err, &errno):
		return fail(classifyErrno(errno, answered))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fail(codeResponseIncomplete)
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		if answered {
			return fail(codeResponseIncomplete)
		}
		return fail(codeConnectionTerminated)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fail(codeConnectionTimeout)
	}
	text := err.Error()
	for _, f := range failures {
		if strings.Contains(text, f.text) {
			return fail(f.code)
		}
	}
	return internal(err)
}

func classifyDNS(err *net.DNSError) *codeError {
	rcode := "SERVFAIL"
	switch {
	case err.IsTimeout:
		return &codeError{code: codeDNSTimeout, err: err}
	case err.IsNotFound:
		rcode = "NXDOMAIN"
	}
	return &codeError{code: codeDNSError, payload: abi.Record(abi.Some(abi.String(rcode)), abi.None()), err: err}
}

func classifyErrno(errno syscall.Errno, answered bool) int {
	switch errno {
	case syscall.ECONNREFUSED:
		return codeConnectionRefused
	case syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		if answered {
			return codeResponseIncomplete
		}
		return codeConnectionTerminated
	case syscall.ETIMEDOUT:
		return codeConnectionTimeout
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EAFNOSUPPORT, syscall.EADDRNOTAVAIL, syscall.EINVAL:
		return codeDestinationIPUnroutable
	case syscall.EHOSTDOWN, syscall.ENETDOWN:
		return codeDestinationUnavailable
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS:
		return codeConnectionLimitReached
	}
	return codeDestinationUnavailable
}

func isCertificate(err error) bool {
	var (
		failed    *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	return errors.As(err, &failed) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid)
}

// alert is a TLS alert that came from the peer.
func alert(op *net.OpError) *codeError {
	id := abi.None()
	// The type is not exported. What it is, an alert's number (RFC 8446, 6), will not change.
	if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
		id = abi.Some(abi.U8(uint8(v.Uint())))
	}
	message := strings.TrimPrefix(op.Err.Error(), "tls: ")
	return &codeError{
		code: codeTLSAlertReceived, err: op,
		payload: abi.Record(id, abi.Some(abi.String(message))),
	}
}
