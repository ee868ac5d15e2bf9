"""Which edits are tried at a place: those of the kind first, then all others, up to a cap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grader.defects.edits.blame import Blame, Operator
from grader.defects.edits.formulas import apply_gate, divide_by_B, exchange, swap_in, write
from grader.defects.edits.toggles import (
    change_reduction,
    drop,
    keep_part,
    keep_right_part,
    negate,
    transpose,
    turn_comparison,
)
from grader.source.edits import Edit

OTHERWISE: tuple[Operator, ...] = (
    *(keep_right_part, turn_comparison, change_reduction, divide_by_B, negate, keep_part, drop),
    *(transpose, apply_gate, exchange),
)
"""What is tried for any kind."""

AFTERWARDS: Mapping[str, tuple[Operator, ...]] = {
    "dZ2": (divide_by_B, change_reduction),
    "dZ1": (apply_gate,),
}
"""What is tried for a step that only follows another's fault, once that fault is gone."""

IN_CACHE: tuple[Operator, ...] = (swap_in("P"), write("{np}.exp({0})", "logP"))
"""What is tried where forward packs the cache."""


def candidates(b: Blame, operators: Sequence[Operator], *, widely: bool) -> Iterator[Edit]:
    """Yield edits that may repair the place blamed, each once, all of them sound.

    `widely`: what other kinds would need is tried as well.
    """
    likely = operators or OTHERWISE
    others = tuple(o for o in OTHERWISE if o not in likely) if widely else ()
    tried: set[Edit] = set()
    for operator in (*likely, *others):
        for edit in operator(b):
            if edit not in tried and b.text.sound(edit):
                yield edit
            tried.add(edit)
