;; residue looks for what another instance may have left and answers what it
;; found: "clean", or "D" a data segment changed, "M" memory not zero,
;; "G" a global changed, "N" new memory not zero. Then it dirties all of it.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (global $touched (mut i64) (i64.const 0x0102030405060708))
  ;; 28 bytes of head, then the five answers, all below 128.
  (data (i32.const 0) "Content-Type: text/plain\0d\0a\0d\0aclean\0aD\0aM\0aG\0aN\0a")
  (data (i32.const 65528) "\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f\10")

  (func $zero (param $from i32) (param $to i32) (result i32)
    (block $dirty
      (loop $next
        (br_if $dirty (i64.ne (i64.load (local.get $from)) (i64.const 0)))
        (local.set $from (i32.add (local.get $from) (i32.const 8)))
        (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
      (return (i32.const 1)))
    (i32.const 0))

  ;; look returns where the answer stands and how long it is.
  (func $look (result i32 i32)
    (if (i64.ne (i64.load (i32.const 65528)) (i64.const 0x0807060504030201))
      (then (return (i32.const 34) (i32.const 2))))
    (if (i64.ne (i64.load (i32.const 65536)) (i64.const 0x100f0e0d0c0b0a09))
      (then (return (i32.const 34) (i32.const 2))))
    (if (i32.eqz (call $zero (i32.const 128) (i32.const 65528)))
      (then (return (i32.const 36) (i32.const 2))))
    (if (i32.eqz (call $zero (i32.const 65544) (i32.const 262144)))
      (then (return (i32.const 36) (i32.const 2))))
    (if (i64.ne (global.get $touched) (i64.const 0x0102030405060708))
      (then (return (i32.const 38) (i32.const 2))))
    (if (i32.ne (memory.grow (i32.const 4)) (i32.const 4))
      (then (unreachable)))
    (if (i32.eqz (call $zero (i32.const 262144) (i32.const 524288)))
      (then (return (i32.const 40) (i32.const 2))))
    (i32.const 28) (i32.const 6))

  (func $start (export "_start")
    (local $at i32) (local $length i32)
    (call $look)
    (local.set $length)
    (local.set $at)
    (i32.store (i32.const 256) (i32.const 0))
    (i32.store (i32.const 260) (i32.const 28))
    (i32.store (i32.const 264) (local.get $at))
    (i32.store (i32.const 268) (local.get $length))
    (if (call $fd_write (i32.const 1) (i32.const 256) (i32.const 2) (i32.const 272))
      (then (unreachable)))
    (memory.fill (i32.const 0) (i32.const 0xa5) (i32.shl (memory.size) (i32.const 16)))
    (global.set $touched (i64.const -1))))
