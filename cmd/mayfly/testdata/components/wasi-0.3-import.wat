;; A command that calls an interface of WASI 0.3.
(component
  (import "wasi:cli/exit@0.3.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $m
    (import "exit" "exit" (func $exit (param i32)))
    (func (export "run") (result i32) (call $exit (i32.const 0)) (i32.const 0)))
  (core instance $i (instantiate $m (with "exit" (instance (export "exit" (func $exit))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
