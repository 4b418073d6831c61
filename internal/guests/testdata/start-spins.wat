;; start-spins never leaves its start section.
(module
  (memory (export "memory") 1)
  (func $begin
    (loop $again
      (br $again)))
  (start $begin)
  (func (export "_start")))
