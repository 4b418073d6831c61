// Package validate decides whether a component that package binary took apart is valid, and tells its type.
//
// [Validate] follows the component model's Explainer.md and Binary.md: it builds the index spaces, definition by definition, gives
// everything a type, and checks what is instantiated, aliased, lifted, lowered, imported and exported against it. [Subtype] is the same
// check of one type against another, for a host that wants to know whether it has what a component imports.
//
// Types are graphs: a few bytes can describe a type that has millions of parts when walked, or an instantiation that makes
// millions of new ones. So each type knows how large it is as a tree, which is bounded, and so is all work done for one component.
// What exceeds that is an error, soon.
//
// The package compiles no core module: it asks package weave for imports and exports, and leaves it to the engine to
// say whether the code is valid. It is for package component, at load.
package validate
