package wasihttp

import (
	"errors"
	"fmt"

	"github.com/mayfly-run/mayfly/runtime/component"
	"github.com/mayfly-run/mayfly/runtime/component/abi"
	"github.com/mayfly-run/mayfly/runtime/wasi/wasiio"
)

// The cases of wasi:http/types.error-code, in order.
const (
	codeDNSTimeout = iota
	codeDNSError
	codeDestinationNotFound
	codeDestinationUnavailable
	codeDestinationIPProhibited
	codeDestinationIPUnroutable
	codeConnectionRefused
	codeConnectionTerminated
	codeConnectionTimeout
	codeConnectionReadTimeout
	codeConnectionWriteTimeout
	codeConnectionLimitReached
	codeTLSProtocolError
	codeTLSCertificateError
	codeTLSAlertReceived
	codeRequestDenied
	codeRequestLengthRequired
	codeRequestBodySize
	codeRequestMethodInvalid
	codeRequestURIInvalid
	codeRequestURITooLong
	codeRequestHeaderSectionSize
	codeRequestHeaderSize
	codeRequestTrailerSectionSize
	codeRequestTrailerSize
	codeResponseIncomplete
	codeResponseHeaderSectionSize
	codeResponseHeaderSize
	codeResponseBodySize
	codeResponseTrailerSectionSize
	codeResponseTrailerSize
	codeResponseTransferCoding
	codeResponseContentCoding
	codeResponseTimeout
	codeUpgradeFailed
	codeProtocolError
	codeLoopDetected
	codeConfigurationError
	codeInternalError
)

// codeNames are the cases as WIT names them.
var codeNames = [...]string{
	"DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
	"destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout", "connection-read-timeout",
	"connection-write-timeout", "connection-limit-reached", "TLS-protocol-error", "TLS-certificate-error", "TLS-alert-received",
	"HTTP-request-denied", "HTTP-request-length-required", "HTTP-request-body-size", "HTTP-request-method-invalid",
	"HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-request-header-section-size", "HTTP-request-header-size",
	"HTTP-request-trailer-section-size", "HTTP-request-trailer-size", "HTTP-response-incomplete", "HTTP-response-header-section-size",
	"HTTP-response-header-size", "HTTP-response-body-size", "HTTP-response-trailer-section-size", "HTTP-response-trailer-size",
	"HTTP-response-transfer-coding", "HTTP-response-content-coding", "HTTP-response-timeout", "HTTP-upgrade-failed",
	"HTTP-protocol-error", "loop-detected", "configuration-error", "internal-error",
}

// codeError is an error that wasi:http/types.error-code has a case for.
type codeError struct {
	code    int
	payload component.Value // of a case that has one
	err     error           // what it was for the host; nil where the case says it all
}

func (e *codeError) Error() string {
	name := codeNames[e.code]
	switch {
	case e.err != nil:
		return fmt.Sprintf("%s: %v", name, e.err)
	case e.code == codeInternalError:
		if text, ok := e.payload.Some(); ok {
			return fmt.Sprintf("%s: %.200s", name, text.String())
		}
	}
	return name
}

func (e *codeError) Unwrap() error { return e.err }

// value is the error as a guest sees it.
func (e *codeError) value() component.Value {
	switch e.code {
	case codeDNSError, codeTLSAlertReceived, codeRequestBodySize, codeRequestHeaderSectionSize, codeRequestHeaderSize,
		codeRequestTrailerSectionSize, codeRequestTrailerSize, codeResponseHeaderSectionSize, codeResponseHeaderSize,
		codeResponseBodySize, codeResponseTrailerSectionSize, codeResponseTrailerSize, codeResponseTransferCoding,
		codeResponseContentCoding, codeInternalError:
		return abi.Variant(e.code, e.payload)
	}
	return abi.Enum(e.code)
}

// codeOf is what a guest says is wrong.
func codeOf(v component.Value) *codeError { return &codeError{code: v.Case(), payload: v.Payload()} }

// internal is an error that none of the other cases describes.
func internal(err error) *codeError {
	return &codeError{code: codeInternalError, payload: abi.Some(abi.String(err.Error())), err: err}
}

// asCode is err as an error-code.
func asCode(err error) *codeError {
	var e *codeError
	if errors.As(err, &e) {
		return e
	}
	switch {
	case errors.Is(err, errBodyLarge):
		return &codeError{code: codeRequestBodySize, err: err}
	case errors.Is(err, errBodyBroken):
		return &codeError{code: codeConnectionTerminated, err: err}
	}
	return internal(err)
}

// codeResult is a result<_, error-code>.
func codeResult(err error) component.Value {
	if err == nil {
		return abi.OK(component.Value{})
	}
	return abi.Err(asCode(err).value())
}

// httpErrorCode is wasi:http/types.http-error-code.
func httpErrorCode(_ *component.Call, args []component.Value) (component.Value, error) {
	err := wasiio.ErrorOf(args[0])
	var e *codeError
	switch {
	case errors.As(err, &e), errors.Is(err, errBodyLarge), errors.Is(err, errBodyBroken):
		return abi.Some(asCode(err).value()), nil
	}
	return abi.None(), nil
}
