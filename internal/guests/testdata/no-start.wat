;; no-start exports a function, but none named _start.
(module
  (memory (export "memory") 1)
  (func (export "run")))
