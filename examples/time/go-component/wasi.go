//go:build wasip1

package main

import (
	"runtime"
	"strings"
	"unsafe"
)

// What this sidecar needs of wasi:http and wasi:io, imported by hand as the
// Canonical ABI lowers it: a handle is an int32, a string a pointer and a
// length, and what does not fit into one result goes where the last pointer
// points to.

//go:wasmimport wasi:http/types@0.2.10 [method]incoming-request.path-with-query
func pathWithQuery(request int32, option *[3]uint32)

//go:wasmimport wasi:http/types@0.2.10 [resource-drop]incoming-request
func dropRequest(request int32)

//go:wasmimport wasi:http/types@0.2.10 [constructor]fields
func newFields() (fields int32)

//go:wasmimport wasi:http/types@0.2.10 [method]fields.append
func appendField(fields int32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32, result *[2]byte)

//go:wasmimport wasi:http/types@0.2.10 [constructor]outgoing-response
func newResponse(fields int32) (response int32)

//go:wasmimport wasi:http/types@0.2.10 [method]outgoing-response.body
func responseBody(response int32, result *[2]uint32)

//go:wasmimport wasi:http/types@0.2.10 [static]response-outparam.set
func setResponse(out, isError, response, e1 int32, e2 int64, e3, e4, e5, e6 int32)

//go:wasmimport wasi:http/types@0.2.10 [method]outgoing-body.write
func bodyWrite(body int32, result *[2]uint32)

//go:wasmimport wasi:http/types@0.2.10 [static]outgoing-body.finish
func finishBody(body, hasTrailers, trailers int32, result *[40]byte)

//go:wasmimport wasi:io/streams@0.2.10 [method]output-stream.blocking-write-and-flush
func writeAndFlush(stream int32, bytes unsafe.Pointer, n uint32, result *[3]uint32)

//go:wasmimport wasi:io/streams@0.2.10 [resource-drop]output-stream
func dropStream(stream int32)

// lifted keeps what the host was given memory for: it holds no pointer to it
// that the garbage collector could see.
var lifted [][]byte

// The host asks for memory with it when it returns a string. Under the more
// common name cabi_realloc the adapter for WASI 0.1 would use it as well, and
// would do so before the Go runtime has started.
//
//go:wasmexport cabi_import_realloc
func cabiImportRealloc(_, _ uintptr, align, size uint32) unsafe.Pointer {
	memory := make([]byte, size+align)
	lifted = append(lifted, memory)
	past := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))) % align
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(memory)), (align-past)%align)
}

// query is what follows the question mark in the request's target.
func query(request int32) string {
	var option [3]uint32 // some or none, pointer, length
	pathWithQuery(request, &option)
	dropRequest(request)
	if option[0]&0xff == 0 {
		return ""
	}
	target := unsafe.String((*byte)(unsafe.Pointer(uintptr(option[1]))), option[2])
	_, query, _ := strings.Cut(target, "?")
	return query
}

// answer sends a response with one field and a body.
func answer(out int32, contentType, text string) {
	fields := newFields()
	name := "content-type"
	var said [2]byte
	appendField(fields, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)),
		unsafe.Pointer(unsafe.StringData(contentType)), uint32(len(contentType)), &said)
	response := newResponse(fields)
	var body, stream [2]uint32 // ok or error, handle
	responseBody(response, &body)
	setResponse(out, 0, response, 0, 0, 0, 0, 0, 0)
	bodyWrite(int32(body[1]), &stream)
	var written [3]uint32
	writeAndFlush(int32(stream[1]), unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)), &written)
	runtime.KeepAlive(text)
	dropStream(int32(stream[1]))
	var finished [40]byte
	finishBody(int32(body[1]), 0, 0, &finished)
}
