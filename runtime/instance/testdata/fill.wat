;; fill clears 32 MiB of memory for ever, in single instructions that each take milliseconds.
(module
  (memory (export "memory") 512)
  (func $fill (export "_start")
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x2000000))
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 0x1ffffff))
      (br $again))))
