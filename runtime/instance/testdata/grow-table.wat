;; grow-table grows its table until that is refused, and exits with how many times 1024 entries it got.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (table $t 10 funcref)
  (func (export "_start") (local $n i32)
    (loop $again
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 1024)) (i32.const -1))
        (then
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br $again))))
    (call $proc_exit (local.get $n))))
