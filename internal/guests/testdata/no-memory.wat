;; no-memory has no memory at all, and ends well.
(module
  (func (export "_start")))
