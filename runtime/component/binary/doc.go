// Package binary takes a component apart: bytes become the list of its definitions, as they stand.
//
// [Decode] follows the component model's Binary.md, version 0x0d, layer 1, as far as a file can be judged without knowing what its
// indices refer to. Nested components are taken apart too; core modules stay bytes. Every count, length and depth is bounded before
// anything is allocated, so that memory is in proportion to the file, and no file, however bad, does more than return an *[Error].
// What belongs to WASI 0.3 and other features to come is recognised and refused by name: such an error is [ErrUnsupported].
//
// The package decides nothing about meaning: indices may lead nowhere and types may not fit. Package validate decides that. Both are
// for package component, at load.
package binary
