;; Components in components, each given what it imports, and a function that goes through all of them.
(component $root
  (type $point (record (field "x" s32) (field "y" s32)))
  (core type $sum (func (param i32 i32) (result i32)))
  (core type $adder (module
    (alias outer $root $sum (type $f))
    (import "env" "memory" (memory 1 2))
    (export "add" (func (type $f)))
    (export "count" (global (mut i32)))
    (export "table" (table 1 funcref))))
  (component $inner
    (import "sum" (func $sum (param "a" s32) (param "b" s32) (result s32)))
    (core func $lowered (canon lower (func $sum)))
    (func $again (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $lowered)))
    (export "sum" (func $again)))
  (component $outer
    (alias outer $root $inner (component $in))
    (alias outer $root $point (type $p))
    (import "math" (instance $math (export "sum" (func (param "a" s32) (param "b" s32) (result s32)))))
    (instance $i (instantiate $in (with "sum" (func $math "sum"))))
    (instance $j (instantiate $in (with "sum" (func $i "sum"))))
    (export "point" (type $p))
    (export "math" (instance $j)))
  (core module $m
    (memory (export "memory") 1)
    (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $c (instantiate $m))
  (func $sum (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $c "sum")))
  (instance $math (export "sum" (func $sum)))
  (instance $o (instantiate $outer (with "math" (instance $math))))
  (import "other" (component $other
    (import "r" (type $r (sub resource)))
    (export "r" (type $s (eq $r)))
    (export "use" (func (param "r" (borrow $s))))))
  (type $resource (resource (rep i32)))
  (instance (instantiate $other (with "r" (type $resource))))
  (export "test:nested/math@1.2.3-rc.1" (instance $o "math"))
  (export "core" (core module $m)))
