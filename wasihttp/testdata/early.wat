;; A command whose start function asks for its directories and for its standard error, writes a line to that, and asks how much more it may write.
;; When it runs it uses what it has of them from then, without asking again: it says "ran" if its one directory is one.
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $io-error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $io-error (type $e))
    (export "error" (type $error (eq $e)))
    (export "output-stream" (type $output (sub resource)))
    (type $stream-error (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $failure (eq $stream-error)))
    (export "[method]output-stream.check-write" (func (param "self" (borrow $output)) (result (result u64 (error $failure)))))
    (export "[method]output-stream.write" (func (param "self" (borrow $output)) (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $output (type $o))
    (export "output-stream" (type $output (eq $o)))
    (export "get-stderr" (func (result (own $output))))))
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type $descriptor (sub resource)))
    (type $kind (enum "unknown" "block-device" "character-device" "directory" "fifo" "symbolic-link" "regular-file" "socket"))
    (export "descriptor-type" (type $descriptor-type (eq $kind)))
    (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist" "file-too-large"
      "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io" "is-directory" "loop" "too-many-links" "message-size"
      "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
      "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe" "read-only" "invalid-seek"
      "text-file-busy" "cross-device"))
    (export "error-code" (type $error-code (eq $code)))
    (export "[method]descriptor.get-type" (func (param "self" (borrow $descriptor)) (result (result $descriptor-type (error $error-code)))))))
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
  (core func $get-stderr (canon lower (func $stderr "get-stderr")))
  (core func $check-write (canon lower (func $streams "[method]output-stream.check-write") (memory $memory)))
  (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory)))
  (core func $get-type (canon lower (func $types "[method]descriptor.get-type") (memory $memory)))
  (core func $get-directories (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))

  (core module $main
    (import "store" "memory" (memory 1))
    (import "host" "get-stderr" (func $get-stderr (result i32)))
    (import "host" "check-write" (func $check-write (param i32 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "get-type" (func $get-type (param i32 i32)))
    (import "host" "get-directories" (func $get-directories (param i32)))
    (data (i32.const 0) "begins\nran\nlost\n")
    (global $stderr (mut i32) (i32.const 0))
    (global $dir (mut i32) (i32.const 0))
    (func $begin
      (call $get-directories (i32.const 64)) ;; list: address, length; its items: handle, address, length of the path
      (if (i32.ne (i32.load (i32.const 68)) (i32.const 1)) (then unreachable))
      (global.set $dir (i32.load (i32.load (i32.const 64))))
      (global.set $stderr (call $get-stderr))
      (call $write (global.get $stderr) (i32.const 0) (i32.const 7) (i32.const 80))
      (call $check-write (global.get $stderr) (i32.const 80)))
    (start $begin)
    (func (export "run") (result i32)
      (call $get-type (global.get $dir) (i32.const 80)) ;; result: 0 for ok; the type, 3 for a directory
      (if (i32.eq (i32.load16_u (i32.const 80)) (i32.const 0x300))
        (then (call $write (global.get $stderr) (i32.const 7) (i32.const 4) (i32.const 80)))
        (else (call $write (global.get $stderr) (i32.const 11) (i32.const 5) (i32.const 80))))
      (i32.load8_u (i32.const 80))))
  (core instance $main (instantiate $main
    (with "store" (instance $store))
    (with "host" (instance
      (export "get-stderr" (func $get-stderr))
      (export "check-write" (func $check-write))
      (export "write" (func $write))
      (export "get-type" (func $get-type))
      (export "get-directories" (func $get-directories))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
