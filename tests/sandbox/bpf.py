"""An interpreter for the few BPF instructions that the filter is made of."""

from __future__ import annotations

import struct

from grader.sandbox.seccomp import (
    JUMP,
    JUMP_ANY_BIT,
    JUMP_AT_LEAST,
    JUMP_EQUAL,
    LOAD,
    RETURN,
)

COMPARISONS = {
    JUMP_EQUAL: lambda word, k: word == k,
    JUMP_AT_LEAST: lambda word, k: word >= k,
    JUMP_ANY_BIT: lambda word, k: bool(word & k),
}


def verdict(code: bytes, arch: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would answer; raises if the program leaves its own bounds."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number & 0xFFFF_FFFF, arch, 0, *padded)
    ops = list(struct.iter_unpack("<HBBI", code))
    at, word = 0, 0
    while True:
        op, yes, no, k = ops[at]
        at += 1
        if op == RETURN:
            return k
        if op == LOAD:
            (word,) = struct.unpack_from("<I", data, k)
        elif op == JUMP:
            at += k
        else:
            at += yes if COMPARISONS[op](word, k) else no
