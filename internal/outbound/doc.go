// Package outbound decides where a guest may connect to: what MAYFLY_ALLOWED_OUTBOUND says, as a [Policy].
//
// The list is Spin's allowed_outbound_hosts: entries of the form scheme://host[:port], separated by spaces or commas.
//
//   - scheme: http, https, tcp and udp for sockets, any other word, or * for all.
//   - host: a name; *.example.com, the names below it but not itself; an address; a network such as 10.0.0.0/8; self, which is the
//     pod's loopback; or * for all.
//   - port: a number; a range such as 8000..8010, which does not include its end; or * for all. It may be left out where the scheme
//     has a port of its own, and with self, where it is all ports then.
//
// Without a list the pod's loopback is allowed; the word none allows nothing. Who sets a list and wants the loopback too adds
// *://self:*.
//
// A rule is checked twice: before a name is resolved, and for the address that is really connected to. Whoever answers for a name
// decides what it resolves to, and may change that between a check and its use. So a rule for a name does not reach the loopback, the
// link's own addresses (where clouds keep the credentials of the machine), multicast groups, or no address at all, whatever DNS says;
// the names localhost and below reach the loopback and nothing else. Private addresses are reached: that is what the names of a
// cluster's services resolve to. A rule for an address or a network says what it says, and does not match names; * is everything.
//
// What is refused is logged, once for each destination.
package outbound
