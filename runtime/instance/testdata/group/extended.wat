;; extended computes where its data and its functions go from an imported global, as code that can be anywhere does.
(module
  (import "env" "__memory_base" (global $base i32))
  (memory (export "memory") 1)
  (global (export "at") i32 (i32.add (global.get $base) (i32.mul (i32.const 4) (i32.const 2))))
  (data (i32.add (global.get $base) (i32.const 8)) "here")
  (table 100 funcref)
  (elem (offset (i32.sub (global.get $base) (i32.const 1))) func $five)
  (func $five (result i32) (i32.const 5))
  (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))
