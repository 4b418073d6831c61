;; A component that calls the host without end.
(component
  (import "test:host/log@0.1.0" (instance $log
    (export "line" (func (param "text" string) (result u32)))))
  (core module $libc (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (core func $line (canon lower (func $log "line") (memory $memory)))
  (core module $main
    (import "host" "line" (func $line (param i32 i32) (result i32)))
    (func (export "endless")
      (loop $again
        (drop (call $line (i32.const 0) (i32.const 65536)))
        (br $again))))
  (core instance $main (instantiate $main (with "host" (instance (export "line" (func $line))))))
  (func (export "endless") (canon lift (core func $main "endless"))))
