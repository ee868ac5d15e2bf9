"""The line of a defect: where an expression first takes the value that only the bug gives.

What no value tells, the kind's own finder looks for in the source. It only looks; whether the
defect is there at all has been settled by numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from grader.defects.clues import Clues, spot_of
from grader.defects.facts import first_wrong
from grader.defects.make import at, kind_of
from grader.defects.names import LEAF, HandedOn, plain
from grader.defects.witness import Witness, matches, place_of
from grader.observe.trace import Trace, TracedValue
from grader.records import Defect, Part
from grader.source.program import Program

GATE = re.compile(r"[<>]|where|mask|sign|greater|less|clip|heaviside", re.IGNORECASE)
MAKES = ("multiply", "call", "binary", "choice")
"""A gate in the source that gates nothing gives its input again, and is the line all the same."""


def placed(
    defect: Defect, witnesses: Sequence[Witness], trace: Trace, program: Program | None = None
) -> Defect:
    """Return `defect` with file and line, where the trace shows one of its wrong values."""
    names = kind_of(defect).handed_on
    for witness in witnesses:
        values = matches(witness, trace, program.passed_on if program else ())
        if values:
            best = values[0]
            if program is not None and names is not None:
                best = _handed_on(names, values, program, trace) or best
            return at(defect, spot_of(best), trace.sources)
    return defect


def located(defect: Defect, clues: Clues) -> Defect:
    """Return a defect with the line that its kind's finder finds, where it is asked."""
    kind = kind_of(defect)
    if kind.placed is None or not (defect.line is None or kind.sharper):
        return defect
    try:
        spot = kind.placed(clues, defect)
    except RecursionError:  # an expression nested beyond all reason: then without a line
        spot = None
    return at(defect, spot, clues.program.lines)


def at_first_wrong(defects: Sequence[Defect], clues: Clues, *, torch: bool) -> list[Defect]:
    """Return the unexplained defects with the first expression of right inputs and a wrong value.

    What is wrong in backward alone has no part in the loss.
    """
    open_ones = [d for d in defects if kind_of(d).unexplained and d.line is None]
    named = clues.torch_named if torch else clues.named
    wrong = first_wrong(named) if open_ones else None
    if wrong is None:
        return list(defects)
    late = wrong.phase == "backward"
    stand = [d for d in open_ones if not (late and kind_of(d).part is Part.FORWARD)]
    return [at(d, spot_of(wrong), named.trace.sources) if d in stand else d for d in defects]


# ── bugs by omission ─────────────────────────────────────────────────────────


def _handed_on(
    names: HandedOn, values: Sequence[TracedValue], program: Program, trace: Trace
) -> TracedValue | None:
    """The first place at which the value gets a name that should not have it.

    None where it is made under such a name, or never given on.
    """
    wrong, right = names.wrong, names.right
    made = plain(program.assigned.get(place_of(values[0]), ""))
    if wrong.search(made):
        return None
    ranked: list[tuple[int, int, TracedValue]] = []
    for value in values:
        passed = program.passed_on.get(place_of(value))
        name = plain(passed or program.assigned.get(place_of(value), ""))
        again = value is not values[0] and np.array_equal(value.value, values[0].value)
        again = again and not (value.kind in MAKES and GATE.search(trace.text(value)))
        if passed is None and (again or not wrong.search(name)):
            continue
        if passed == "return" or wrong.search(name):
            ranked.append((0, value.order, value))
        elif right is None or LEAF.search(name) or (right.search(name) and right.search(made)):
            continue
        else:
            stored = passed is not None and passed.startswith("kept ")
            ranked.append((3 if right.search(name) else 2 if stored else 1, value.order, value))
    return min(ranked, key=lambda r: r[:2])[2] if ranked else None
