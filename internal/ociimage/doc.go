// Package ociimage writes and reads container images as one tar file.
//
// Writing: Build packs a tree of files and a configuration into an image of one
// layer, for one platform or several, and WriteArchive puts it into a file that
// `ctr image import`, `docker load` and `kind load image-archive` take. The same
// input gives the same digest, on every machine and at every time.
//
// Reading: Open finds the image for this machine in such a file, or in one that
// `docker save` wrote, and Extract unpacks it into a directory. What is read is
// taken to be hostile: sizes, counts, depths and paths are bounded, and nothing
// is ever written outside the directory.
//
// It is not a registry client, knows nothing of WebAssembly beyond where an app
// puts its module, and never loads or runs what an image holds. The command line
// uses it; the shim does not, containerd unpacks images for it.
package ociimage
