// Package wave reads and writes values of components as text: in WAVE, the encoding that wasm-tools and wasmtime have for the same. It is
// how people give arguments on a command line, and how they see what comes back.
//
//	true  -9  6.02e+23  'x'  "a\tb"  [1, 2]  (1, "a")  {x: 1, y: 2}  south  days(30)  some(1)  err("no")  {read, write}
//
// The text alone does not say what a value is, so everything here is done along a type. Handles of resources have no text.
package wave
