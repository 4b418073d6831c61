;; early has a start function, which traps when another has been at its memory before.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "early")
  (func $look (if (i32.load8_u (i32.const 100)) (then (unreachable))))
  (start $look))
