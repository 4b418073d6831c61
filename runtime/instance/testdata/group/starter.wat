;; starter calls the host as soon as it is there.
(module
  (import "host" "call" (func $call (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $got (export "got") (mut i32) (i32.const 0))
  (func $begin (global.set $got (call $call (i32.const 3) (i32.const 4))))
  (start $begin)
  (func (export "got it") (result i32) (global.get $got)))
