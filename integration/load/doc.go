// Package load asks a server the same thing over and over, from one client or from many at once, and tells how long each answer took
// and whether it was right. It is made to cost little, because it runs on the processors of what it measures: raw HTTP/1.1 on
// connections that are kept, a request that is written once, an answer read into memory that is used again.
//
// Its loop is closed: each client asks as soon as it has its answer. While a server stalls nobody asks, so a stall counts once for each
// client and not once for each request that would have come in that time (what is known as coordinated omission). Times say how long
// those waited who asked, not how long somebody would have waited who comes at a random moment; the count of requests in a second is
// what all clients together got.
//
// It is for the benchmarks of this repository. It is no general client of HTTP.
package load
