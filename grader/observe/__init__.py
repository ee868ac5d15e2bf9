"""Puts a submission and the cases through the sandbox, and brings back what was seen.

`driver`, `coerce`, `loading` and `standin` run on the child's side, in the
submission's process; the rest is the judge's.
"""
