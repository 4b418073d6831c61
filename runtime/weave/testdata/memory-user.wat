;; memory-user fills and copies another's memory, and grows it.
(module
  (import "owner" "memory" (memory 1))
  (export "again" (memory 0))
  (data $text "a passive segment")
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "init") (param i32 i32 i32) (memory.init $text (local.get 0) (local.get 1) (local.get 2)))
  (func (export "grow") (param i32 i32 i32) (drop (memory.grow (i32.const 1)))))
