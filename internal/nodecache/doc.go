// Package nodecache is a directory of compiled code that all processes of a machine share.
//
//	DIR/BUILD/DIGEST/       an entry: files, readable by all who have a descriptor, which nobody changes
//	DIR/BUILD/DIGEST.new/   an entry that is being made, locked by who makes it
//	DIR/BUILD/DIGEST.gone-N what is being removed
//	DIR/slot-N, DIR/evict   lock files
//	DIR/build               which program was hashed last, and its hash
//
// BUILD is the sha256 of the program whose code is cached, DIGEST that of what was compiled. What is in an entry is its maker's business.
//
// All locks are of flock(2) and all changes of names are renames, so that a process may be killed anywhere: the kernel lets go of its locks, and
// what it left is recognised by its name and by being locked by nobody. An entry that somebody has open is not removed; a digest is
// made by one process at a time, and on the whole machine by one for each processor.
//
// Nothing is synced to disk. After a power failure an entry may be there without its contents: who opens one must verify it, and
// [Entry.Discard] it if it is not what it should be.
//
// The directory is its owner's, root's on a node: one that others can write to is refused. What is found in it and is not as this
// package makes it is removed if it has the name of an entry, and else left alone; symbolic links are not followed.
package nodecache
