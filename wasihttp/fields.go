package wasihttp

import (
	"net/http"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/runtime/instance"
)

// maxFieldsSize bounds all names and values of one fields resource, in bytes; fieldOverhead is what each costs beside its text.
const (
	maxFieldsSize = 128 << 10
	fieldOverhead = 32
)

// fields is the resource wasi:http/types.fields.
type fields struct {
	guest     *guest // that holds them; nil: nobody does, yet
	list      []field
	size      int
	immutable bool
}

// headerError is wasi:http/types.header-error.
type headerError int

const (
	headerInvalidSyntax headerError = iota
	headerForbidden
	headerImmutable
)

func (e headerError) Error() string {
	return [...]string{"a field's name or value is malformed", "a field is the host's to set", "these fields cannot be changed"}[e]
}

// errFieldsSize ends a guest: the specification has no error that it could be told.
var errFieldsSize error = &instance.TrapError{Reason: "wasi:http: a fields resource would have more than 128 KiB"}

// forbidden are the fields that guests neither set nor see: what concerns the connection is the host's, and the host's name is the
// authority of a request.
var forbidden = map[string]bool{
	"connection": true, "host": true, "http2-settings": true, "keep-alive": true, "proxy-authenticate": true, "proxy-authorization": true,
	"proxy-connection": true, "transfer-encoding": true, "upgrade": true,
}

// newFields are the fields of what came from the network, less the forbidden. Names are in lower case, as in HTTP/2 and later; net/http
// has lost how they were written, and the order, which is that of the names here.
func newFields(h http.Header) *fields {
	f := &fields{list: make([]field, 0, len(h)+1), immutable: true}
	for name, values := range h {
		if name = lower(name); forbidden[name] {
			continue
		}
		for _, v := range values {
			e := field{name, v}
			f.list = append(f.list, e)
			f.size += e.size()
		}
	}
	slices.SortStableFunc(f.list, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return f
}

// announced is the field Trailer of a message whose body was not read yet, "" if there was none: net/http takes it out of the head.
func announced(trailers http.Header) string {
	var names []string
	for name := range trailers {
		names = append(names, lower(name))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// lowered are the names that most requests have, in lower case.
var lowered = func() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type",
		"Cookie", "Date", "Dnt", "Etag", "If-Modified-Since", "If-None-Match", "Last-Modified", "Origin", "Pragma", "Priority", "Referer",
		"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Server", "Set-Cookie", "Traceparent", "Tracestate", "User-Agent", "Vary",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id",
	} {
		m[name] = strings.ToLower(name)
	}
	return m
}()

func lower(name string) string {
	if l, ok := lowered[name]; ok {
		return l
	}
	return strings.ToLower(name)
}

// view is the same fields, not to be changed. What it is a view of must not be changed any more either.
func (f *fields) view() *fields { return &fields{list: f.list, size: f.size, immutable: true} }

func (f *fields) clone() *fields {
	return &fields{list: slices.Clone(f.list), size: f.size}
}

func (e field) size() int { return len(e.name) + len(e.value) + fieldOverhead }

func (e field) named(name string) bool { return strings.EqualFold(e.name, name) }

func (f *fields) values(name string) []string {
	var values []string
	for _, e := range f.list {
		if e.named(name) {
			values = append(values, e.value)
		}
	}
	return values
}

func (f *fields) has(name string) bool {
	return slices.ContainsFunc(f.list, func(e field) bool { return e.named(name) })
}

// checkName reports whether the guest may change the fields of a name: a headerError if not.
func (f *fields) checkName(name string) error {
	switch {
	case !isToken([]byte(name)):
		return headerInvalidSyntax
	case forbidden[strings.ToLower(name)]:
		return headerForbidden
	case f.immutable:
		return headerImmutable
	}
	return nil
}

func checkValue(name, value string) error {
	if !isText([]byte(value)) {
		return headerInvalidSyntax
	}
	if strings.EqualFold(name, "Content-Length") {
		if _, ok := digits(value); !ok {
			return headerInvalidSyntax
		}
	}
	return nil
}

func (f *fields) append(name, value string) error {
	if err := f.checkName(name); err != nil {
		return err
	}
	if err := checkValue(name, value); err != nil {
		return err
	}
	return f.add(field{name, value})
}

func (f *fields) add(e field) error {
	if f.size+e.size() > maxFieldsSize {
		return errFieldsSize
	}
	if err := f.guest.hold(e.size()); err != nil {
		return err
	}
	f.size += e.size()
	f.list = append(f.list, e)
	return nil
}

func (f *fields) delete(name string) error {
	if err := f.checkName(name); err != nil {
		return err
	}
	left := 0
	kept := f.list[:0]
	for _, e := range f.list {
		if e.named(name) {
			left += e.size()
			continue
		}
		kept = append(kept, e)
	}
	clear(f.list[len(kept):])
	if len(kept) < cap(kept)/4 {
		kept = slices.Clone(kept) // the room for the others would not be counted
	}
	f.list = kept
	f.size -= left
	f.guest.release(left)
	return nil
}

func (f *fields) set(name string, values []string) error {
	if err := f.checkName(name); err != nil {
		return err
	}
	for _, v := range values {
		if err := checkValue(name, v); err != nil {
			return err
		}
	}
	if err := f.delete(name); err != nil {
		return err
	}
	for _, v := range values {
		if err := f.add(field{name, v}); err != nil {
			return err
		}
	}
	return nil
}

// length is what the fields announce as a body's length, -1 where they do not. ok is false where they contradict themselves.
func (f *fields) length() (n int64, ok bool) {
	n = -1
	for _, e := range f.list {
		if !e.named("Content-Length") {
			continue
		}
		next, valid := digits(e.value)
		if !valid || n >= 0 && next != n {
			return -1, false
		}
		n = next
	}
	return n, true
}

// copyTo puts the fields into h, but for those that net/http has another place for. They replace those that are there.
func (f *fields) copyTo(h http.Header) {
	for _, e := range f.list {
		delete(h, http.CanonicalHeaderKey(e.name))
	}
	for _, e := range f.list {
		if name := http.CanonicalHeaderKey(e.name); name != "Content-Length" && name != "Trailer" {
			h[name] = append(h[name], e.value)
		}
	}
}
