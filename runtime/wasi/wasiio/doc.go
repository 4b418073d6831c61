// Package wasiio is the host of wasi:io: errors, pollables and streams.
//
// The hosts of other WASI packages make these resources, with [NewError], [NewPollable], [NewInput] and [NewOutput], of what implements
// the interfaces here. What a guest may do wrong with them (write more than was permitted, use a stream that has failed, keep a
// pollable longer than what it came from) is dealt with here, so an implementation need not.
//
// Streams and pollables never wait: functions of wasi:io that block do so by [Pollable.Watch], and end when the guest must stop.
package wasiio
