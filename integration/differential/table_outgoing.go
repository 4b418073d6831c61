package main

import "strings"

// originMark stands for the address of the server that guests ask.
const originMark = "{origin}"

// nobody is an address where nothing listens.
const nobody = "127.0.0.1:1"

var outgoing = []request{
	{name: "get", head: "GET /get?url=http://{origin}/seen"},
	{name: "get-url-in-field", head: "GET /get\nX-Url: http://{origin}/seen"},
	{name: "head", head: "GET /get?method=HEAD&url=http://{origin}/seen"},
	{name: "post", head: "GET /get?method=POST&body=hello&url=http://{origin}/seen"},
	{name: "post-no-body", head: "GET /get?method=POST&url=http://{origin}/seen"},
	{name: "put-length", head: "GET /get?method=PUT&body=hello&length=5&url=http://{origin}/seen"},
	{name: "get-with-body", head: "GET /get?method=GET&body=hello&url=http://{origin}/seen"},
	{name: "delete", head: "GET /get?method=DELETE&url=http://{origin}/seen"},
	{name: "options", head: "GET /get?method=OPTIONS&url=http://{origin}/seen"},
	{name: "trace", head: "GET /get?method=TRACE&url=http://{origin}/seen"},
	{name: "method-unknown", head: "GET /get?method=BREW&url=http://{origin}/seen"},
	{name: "method-lower-case", head: "GET /get?method=brew&url=http://{origin}/seen"},
	{name: "method-connect", head: "GET /get?method=CONNECT&url=http://{origin}/seen"},
	{name: "method-no-token", head: "GET /get?method=A%20B&url=http://{origin}/seen"},
	{name: "length-too-small", head: "GET /get?method=POST&body=hello&length=3&url=http://{origin}/seen"},
	{name: "length-too-large", head: "GET /get?method=POST&body=hello&length=8&url=http://{origin}/seen"},
	{name: "length-without-body", head: "GET /get?method=POST&length=5&url=http://{origin}/seen"},
	{name: "trailers-sent", head: "GET /get?method=POST&body=hello&field=trailer:x-t&trailer=x-t:1&url=http://{origin}/seen"},
	{name: "no-path", head: "GET /get?url=http://{origin}"},
	{name: "path-encoded", head: "GET /get?url=http://{origin}/seen/%2525a%252fb"},
	{name: "path-dots", head: "GET /get?url=http://{origin}/seen/a/../b"},
	{name: "path-two-slashes", head: "GET /get?url=http://{origin}//seen"},
	{name: "path-query", head: "GET /get?url=http://{origin}/seen?a=b"},
	{name: "path-fragment", head: "GET /get?url=http://{origin}/seen%23a"},
	{name: "path-space", head: "GET /get?url=http://{origin}/seen%20a"},
	{name: "path-utf-8", head: "GET /get?url=http://{origin}/seen/%c3%a9"},
	{name: "fields", head: "GET /get?field=x-a:1&field=x-a:2&field=accept:text/x&field=user-agent:me&url=http://{origin}/seen"},
	{name: "field-host", head: "GET /get?field=host:other.test&url=http://{origin}/seen"},
	{name: "field-connection", head: "GET /get?field=connection:close&url=http://{origin}/seen"},
	{name: "field-te", head: "GET /get?field=te:trailers&url=http://{origin}/seen"},
	{name: "field-expect", head: "GET /get?method=POST&body=hello&field=expect:100-continue&url=http://{origin}/seen"},
	{name: "no-scheme", head: "GET /get?url={origin}/seen"},
	{name: "other-scheme", head: "GET /get?url=ftp://{origin}/seen"},
	{name: "no-authority", head: "GET /get?url=http:///seen"},
	{name: "bad-authority", head: "GET /get?url=http://a%20b/seen"},
	{name: "bad-port", head: "GET /get?url=http://127.0.0.1:99999/seen"},
	{name: "status-404", head: "GET /get?url=http://{origin}/status?404"},
	{name: "status-302-not-followed", head: "GET /get?url=http://{origin}/status?302"},
	{name: "status-204", head: "GET /get?url=http://{origin}/status?204"},
	{name: "status-304", head: "GET /get?url=http://{origin}/status?304"},
	{name: "status-999", head: "GET /get?url=http://{origin}/status?999"},
	{name: "early-hints", head: "GET /get?url=http://{origin}/early"},
	{name: "answer-fields", head: "GET /get?url=http://{origin}/fields"},
	{name: "answer-large-field", head: "GET /get?url=http://{origin}/large-field"},
	{name: "answer-1-mb", head: "GET /get?url=http://{origin}/megabyte"},
	{name: "answer-trailers", head: "GET /get?url=http://{origin}/trailers"},
	{name: "answer-gzip", head: "GET /get?url=http://{origin}/gzip"},
	{name: "answer-to-close", head: "GET /get?url=http://{origin}/until-close"},
	{name: "answer-cut", head: "GET /get?url=http://{origin}/cut"},
	{name: "answer-cut-chunked", head: "GET /get?url=http://{origin}/cut-chunked"},
	{name: "answer-bad-chunk", head: "GET /get?url=http://{origin}/bad-chunk"},
	{name: "answer-no-http", head: "GET /get?url=http://{origin}/no-http"},
	{name: "answer-none", head: "GET /get?url=http://{origin}/close"},
	{name: "answer-half-a-head", head: "GET /get?url=http://{origin}/half-a-head"},
	{name: "answer-101", head: "GET /get?url=http://{origin}/switch"},
	{name: "refused", head: "GET /get?url=http://" + nobody + "/"},
	{name: "no-such-name", head: "GET /get?url=http://nothing.invalid/"},
	{name: "tls-to-none", head: "GET /get?url=https://{origin}/seen"},
	{name: "first-byte-timeout", head: "GET /get?first-byte-ms=100&url=http://{origin}/stall"},
	{name: "between-bytes-timeout", head: "GET /get?between-ms=100&url=http://{origin}/stall-in-body"},
	{name: "timeouts-not-reached", head: "GET /get?connect-ms=4000&first-byte-ms=4000&between-ms=4000&url=http://{origin}/seen"},
	{name: "cancel", head: "GET /cancel?url=http://{origin}/stall"},
	{name: "cancel-after-head", head: "GET /cancel?after=head&url=http://{origin}/megabyte"},
	{name: "both", head: "GET /both?url=http://{origin}/slow&url=http://{origin}/seen"},
}

var relayed = []request{
	{name: "get", head: "GET /relay?url=http://{origin}/seen"},
	{name: "post", head: "POST /relay?url=http://{origin}/seen", body: sized("hello")},
	{name: "post-chunked", head: "POST /relay?url=http://{origin}/seen", body: chunked("he", "llo")},
	{name: "post-1-mb", head: "POST /relay?url=http://{origin}/count", body: sized(long(megabyte))},
	{name: "method-unknown", head: "BREW /relay?url=http://{origin}/seen"},
	{name: "status-404", head: "GET /relay?url=http://{origin}/status?404"},
	{name: "status-204", head: "GET /relay?url=http://{origin}/status?204"},
	{name: "status-302", head: "GET /relay?url=http://{origin}/status?302"},
	{name: "answer-fields", head: "GET /relay?url=http://{origin}/fields"},
	{name: "answer-1-mb", head: "GET /relay?url=http://{origin}/megabyte"},
	{name: "answer-cut", head: "GET /relay?url=http://{origin}/cut"},
	{name: "refused", head: "GET /relay?url=http://" + nobody + "/"},
	{name: "closed", head: "GET /relay?url=http://{origin}/close"},
	{name: "url-missing", head: "GET /relay"},
}

// toOrigin is r with the address of the server that guests ask.
func (r request) toOrigin(addr string) request {
	r.head = strings.ReplaceAll(r.head, originMark, addr)
	return r
}
