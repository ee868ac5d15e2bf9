"""What a trace says about how a submission works: what is wrong first, which mask.

Facts are read off values, not off names: a variable called `Z1` that holds H1 is H1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from grader.defects.derivation import LOADS
from grader.observe.naming import tells
from grader.observe.reading import NamedTrace, Reading
from grader.observe.trace import TracedValue

LOOPED = 2
"""An expression evaluated more often stands in a loop: its values are parts of something."""

ALLOCATES = re.compile(r"^[\w.]*\bempty(_like)?\(")
"""Arrays that hold what happens to lie in memory, until they are filled."""


# ── what is wrong first ──────────────────────────────────────────────────────


def first_wrong(named: NamedTrace) -> TracedValue | None:
    """Return the first expression that is no known tensor, while all its parts are.

    An unusual intermediate that leads to a known tensor later on is excused. In
    a loop only what is assembled in the end counts.
    """
    excused: set[bytes] = set()
    for reading in reversed(named.readings):
        if _is_evidence(reading) or reading.key in excused:
            parts = (p for p in reading.parts if _is_unknown(p) or _is_odd_multiple(p))
            excused |= {part.key for part in parts}
    outside = {r.key for r in named.readings if r.at.count <= LOOPED}
    for reading in named.readings:
        if reading.key in excused or not _is_unknown(reading):
            continue
        if reading.at.count > LOOPED:
            makes = reading.order == reading.at.last_order and reading.key in outside
        else:
            makes = reading.at.kind not in LOADS and any(p.name for p in reading.parts)
        if ALLOCATES.match(named.trace.text(reading.at)):
            continue
        if makes and not any(_is_unknown(part) for part in reading.parts):
            return reading.at
    return None


def _is_evidence(reading: Reading) -> bool:
    """Whether it is a tensor (no size, no odd multiple): then what it was made of is right."""
    counts = reading.name is not None and reading.base not in ("B", "1/B", "rows")
    return counts and not _is_odd_multiple(reading)


def _is_odd_multiple(reading: Reading) -> bool:
    """Whether it is a tensor times what no gradient asks for: right only if it leads to one."""
    name = reading.name
    return name is not None and name.factor.removeprefix("-") not in ("1", "B", "1/B")


def _is_unknown(reading: Reading) -> bool:
    """An array of its own that is no known tensor: no index, no constant, no part of a tensor."""
    value, kind = reading.value, reading.at.kind
    if reading.name is not None or value.size <= 1 or value.dtype.kind in "iu" or not tells(value):
        return False
    if reading.at.count > LOOPED and kind != "target":
        return False
    is_part = kind == "subscript" and reading.parts
    return not (is_part and not any(_is_unknown(p) for p in reading.parts))


# ── the ReLU's gate ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MaskGate:
    """What decides where the gradient passes the ReLU, and the expression that decides it.

    `source` is "Z1", "H1", "cached mask from Z1", "cached mask from H1" or "gradient".
    """

    source: str
    at: TracedValue


MASKS = ("mask", "not mask", "dH1 > 0", "dH1 <= 0")
OPERANDS = {"Z1": "Z1", "H1": "H1", "dH1": "gradient", "dZ1": "gradient"}


def mask_source(named: NamedTrace) -> MaskGate | None:
    """Return what the backward pass compares with zero: Z1 and H1 give one mask."""
    backward, forward = named.during("backward"), named.during("forward")
    cached = {r.key for r in forward}
    for gate in _gates(backward, named.known["Z1"].shape, cached):
        return gate
    if not any(r.base in MASKS for r in backward):
        return None
    kept = {id(p.at) for r in forward if r.base not in MASKS for p in r.parts}
    gates = list(_gates(forward, named.known["Z1"].shape, cached))
    alone = [gate for gate in gates if id(gate.at) not in kept]  # its own statement's value
    for gate in (*alone, *gates):
        return MaskGate(f"cached mask from {gate.source}", gate.at)
    return None


def _gates(
    readings: list[Reading], shape: tuple[int, ...], cached: set[bytes]
) -> Iterator[MaskGate]:
    for reading in readings:
        compares = reading.at.kind == "compare" and reading.value.dtype == np.bool_
        if reading.base in MASKS or compares:
            operand = _operand(reading)
            if operand is None and compares and reading.value.shape in (shape, shape[::-1]):
                born = [p for p in reading.parts if p.value.shape == reading.value.shape]
                operand = "gradient" if any(p.key not in cached for p in born) else None
            if operand is not None:
                yield MaskGate(operand, reading.at)


def _operand(reading: Reading) -> str | None:
    """The tensor among the direct operands of a gate; a nameless operand is looked into."""
    found = {OPERANDS[p.base] for p in reading.parts if p.base in OPERANDS}
    for source in ("Z1", "H1", "gradient"):
        if source in found:
            return source
    inner = (_operand(p) for p in reading.parts if p.name is None)
    return next((source for source in inner if source is not None), None)


# ── the cache ────────────────────────────────────────────────────────────────


def recomputes_forward(named: NamedTrace) -> tuple[TracedValue, ...]:
    """Expressions of the backward pass that compute Z1, Z2 or P again, as the forward did."""
    before = {r.base for r in named.during("forward") if _computes(r)}
    again = {
        r.base: r.at
        for r in reversed(named.during("backward"))
        if _computes(r) and r.base in before
    }
    return tuple(again[base] for base in ("Z1", "Z2", "P") if base in again)


def _computes(reading: Reading) -> bool:
    """Whether it makes one of Z1, Z2, P out of something else."""
    if reading.base not in ("Z1", "Z2", "P") or reading.at.kind in LOADS:
        return False
    arrays = [p for p in reading.parts if p.value.size > 1]
    return bool(arrays) and all(p.base != reading.base for p in arrays)
