"""What a slip costs that was corrected so that the answer behind it could be graded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from grader.defects import BY_CODE
from grader.records import Charge, Defect, Grade


def correction_charges(
    defects: Sequence[Defect], as_it_was: Grade, behind: Grade
) -> tuple[Charge, ...]:
    """Return what the slips `defects` cost: each its kind's share of what was won and is left.

    So a correction never takes points away, and never gives all of them back. `as_it_was` is
    the grade of the answer with its slips, `behind` that of the answer without them.
    """
    left = Fraction(behind.score) - Fraction(as_it_was.score)
    charges = []
    for code in dict.fromkeys(defect.code for defect in defects):
        cost = max(left, Fraction(0)) * Fraction(str(BY_CODE[code].corrected_cost))
        charges.append(Charge(code, float(cost)))
        left -= cost
    return tuple(charges)
