;; A command that calls what mayfly does not have.
(component
  (import "acme:queue/jobs@1.0.0" (instance $jobs (export "push" (func (param "job" u32)))))
  (core func $push (canon lower (func $jobs "push")))
  (core module $m
    (import "jobs" "push" (func $push (param i32)))
    (func (export "run") (result i32) (call $push (i32.const 1)) (i32.const 0)))
  (core instance $i (instantiate $m (with "jobs" (instance (export "push" (func $push))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
