;; lodger puts its data into another's memory, at a place that yet another knows, and passes both on.
(module
  (import "m" "memory" (memory 1))
  (import "g" "__memory_base" (global $base i32))
  (export "memory" (memory 0))
  (export "__memory_base" (global $base))
  (global (export "next") i32 (i32.add (global.get $base) (i32.const 4)))
  (data (i32.add (global.get $base) (i32.const 36)) "lodger")
  (data (i32.add (global.get $base) (i32.const 38)) "DG"))
