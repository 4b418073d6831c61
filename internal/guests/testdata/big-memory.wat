;; big-memory starts with 1 GiB of memory.
(module
  (memory (export "memory") 16384)
  (func (export "_start")))
