;; spin loops for ever and calls nobody.
(module
  (memory (export "memory") 1)
  (func $spin (export "_start")
    (loop $again
      (br $again))))
