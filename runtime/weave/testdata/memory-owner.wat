;; memory-owner has a memory for others.
(module (memory (export "memory") 1 3))
