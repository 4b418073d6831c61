;; start-traps traps in its start section, before _start.
(module
  (memory (export "memory") 1)
  (func $begin (unreachable))
  (start $begin)
  (func (export "_start")))
