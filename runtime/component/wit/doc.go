// Package wit reads and writes WIT, the text in which people declare the interfaces of components.
//
// [Parse] turns the text of packages into the types that a component's binary encoding of the same interfaces has: this is how hosts
// declare what they provide. [Print], [Summary], [Func] and [Type] turn types into text, for people.
//
// It follows design/mvp/WIT.md of the component model. Worlds are skipped, since a host provides interfaces; nested packages, async
// functions, streams, futures and maps are refused by name. Feature gates are read and ignored: what is gated is declared.
//
// Text to parse and types to print may come from anybody: sizes and depths are bounded, and what a component calls its things cannot
// reach a terminal as control characters.
package wit
