;; residue-table looks for what another instance may have left in its table and
;; its passive data segment and answers "clean" or "dirty". Then it dirties
;; both.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (type $number (func (result i32)))
  (table $table 8 16 funcref)
  (elem (table $table) (i32.const 1) func $one $two)
  (data (i32.const 0) "Content-Type: text/plain\0d\0a\0d\0aclean\0adirty\0a")
  (data $passive "mayfly42")

  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))

  (func $clean (result i32)
    (if (i32.ne (table.size $table) (i32.const 8))
      (then (return (i32.const 0))))
    (if (i32.eqz (ref.is_null (table.get $table (i32.const 0))))
      (then (return (i32.const 0))))
    (if (i32.ne (call_indirect $table (type $number) (i32.const 1)) (i32.const 1))
      (then (return (i32.const 0))))
    (if (i32.ne (call_indirect $table (type $number) (i32.const 2)) (i32.const 2))
      (then (return (i32.const 0))))
    ;; Traps when the segment was dropped.
    (memory.init $passive (i32.const 512) (i32.const 0) (i32.const 8))
    (i64.eq (i64.load (i32.const 512)) (i64.const 0x3234796c6679616d)))

  (func $start (export "_start")
    (i32.store (i32.const 256) (i32.const 0))
    (i32.store (i32.const 260) (i32.const 28))
    (i32.store (i32.const 264) (select (i32.const 28) (i32.const 34) (call $clean)))
    (i32.store (i32.const 268) (i32.const 6))
    (if (call $fd_write (i32.const 1) (i32.const 256) (i32.const 2) (i32.const 272))
      (then (unreachable)))
    (table.set $table (i32.const 0) (ref.func $two))
    (table.set $table (i32.const 1) (ref.func $two))
    (drop (table.grow $table (ref.null func) (i32.const 4)))
    (data.drop $passive)))
