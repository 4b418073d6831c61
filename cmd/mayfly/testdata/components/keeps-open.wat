;; A command that opens the first of its directories, if it has any, before it runs, and keeps that open.
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type $descriptor (sub resource)))
    (type $flags (flags "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync" "mutate-directory"))
    (export "descriptor-flags" (type $descriptor-flags (eq $flags)))
    (type $how (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $open-flags (eq $how)))
    (type $follow (flags "symlink-follow"))
    (export "path-flags" (type $path-flags (eq $follow)))
    (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist" "file-too-large"
      "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links" "message-size"
      "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
      "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe" "read-only" "invalid-seek"
      "text-file-busy" "cross-device"))
    (export "error-code" (type $error-code (eq $code)))
    (export "[method]descriptor.open-at" (func (param "self" (borrow $descriptor)) (param "path-flags" $path-flags) (param "path" string)
      (param "open-flags" $open-flags) (param "flags" $descriptor-flags) (result (result (own $descriptor) (error $error-code)))))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $d))
    (export "descriptor" (type $descriptor (eq $d)))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))

  (core module $store
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (global.get $next))
      (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get 3)) (i32.const 7)) (i32.const -8)))
      (local.get $at)))
  (core instance $store (instantiate $store))
  (alias core export $store "memory" (core memory $memory))
  (alias core export $store "realloc" (core func $realloc))
  (core func $open-at (canon lower (func $types "[method]descriptor.open-at") (memory $memory)))
  (core func $get-directories (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))

  (core module $main
    (import "store" "memory" (memory 1))
    (import "host" "open-at" (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "get-directories" (func $get-directories (param i32)))
    (data (i32.const 0) ".")
    (func $begin
      (call $get-directories (i32.const 64)) ;; list: address, length; its items begin with the handle
      (if (i32.load (i32.const 68))
        (then (call $open-at (i32.load (i32.load (i32.const 64))) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 1) (i32.const 80)))))
    (start $begin)
    (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $main
    (with "store" (instance $store))
    (with "host" (instance
      (export "open-at" (func $open-at))
      (export "get-directories" (func $get-directories))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
