;; malformed decodes but does not validate: a function that owes a result has
;; none. It is assembled unchecked.
(module
  (memory (export "memory") 1)
  (func $owes (result i32))
  (func (export "_start")
    (drop (call $owes))))
