"""Runs a stranger's bytes and returns arrays; knows nothing of grading.

`pool` and `session` are the judge's side; `zygote`, `child`, `lockdown` and
what they import run on the other side, and import nothing of the judge's.
"""
