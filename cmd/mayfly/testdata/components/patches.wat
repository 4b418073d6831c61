;; A command of several patch versions of WASI 0.2, one of them newer than all there are.
(component
  (import "wasi:cli/exit@0.2.0" (instance $old (export "exit" (func (param "status" (result))))))
  (import "wasi:cli/exit@0.2.99" (instance $new (export "exit" (func (param "status" (result))))))
  (core func $exit-old (canon lower (func $old "exit")))
  (core func $exit-new (canon lower (func $new "exit")))
  (core module $m
    (import "old" "exit" (func (param i32)))
    (import "new" "exit" (func $exit (param i32)))
    (func (export "run") (result i32) (call $exit (i32.const 1)) (i32.const 0)))
  (core instance $i (instantiate $m
    (with "old" (instance (export "exit" (func $exit-old))))
    (with "new" (instance (export "exit" (func $exit-new))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.50" (instance $command)))
