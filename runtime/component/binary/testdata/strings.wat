;; Strings in and out of a memory, in every encoding.
(component
  (import "shout" (func $shout (param "s" string) (result string)))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "free") (param i32)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $lowered (canon lower (func $shout) string-encoding=latin1+utf16 (memory $memory) (realloc $realloc)))
  (core module $main
    (import "env" "shout" (func $shout (param i32 i32 i32)))
    (func (export "run") (param i32 i32) (result i32)
      (call $shout (local.get 0) (local.get 1) (i32.const 16))
      (i32.const 16)))
  (core instance $main (instantiate $main (with "env" (instance (export "shout" (func $lowered))))))
  (func $run (param "s" string) (result string)
    (canon lift (core func $main "run") string-encoding=latin1+utf16 (memory $memory) (realloc $realloc)
      (post-return (core func $libc "free"))))
  (export "run" (func $run) (func (param "s" string) (result string))))
