;; overrun's data does not fit.
(module
  (memory (export "memory") 1)
  (data (i32.const 65530) "too long to fit"))
