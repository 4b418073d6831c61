;; What a toolchain makes before it makes a component of it.
(module
  (import "wasi:cli/exit@0.2.0" "exit" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "wasi:cli/run@0.2.0#run") (result i32) (i32.const 0)))
