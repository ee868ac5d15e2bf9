"""Both parts of a submission, without the further questions that a grade asks."""

from __future__ import annotations

from grader.observe.observe import Allowance, observe_part, together
from grader.observe.spare import SpareChildren
from grader.problem import Paper
from grader.records import Observations, Submission
from grader.sandbox.pool import Zygote


def observe(
    one: Submission,
    paper: Paper,
    numpy: Zygote,
    torch: Zygote,
    allowance: Allowance,
    spare: SpareChildren | None = None,
) -> Observations:
    return together(
        observe_part(one, "numpy", paper, numpy, allowance, spare),
        observe_part(one, "torch", paper, torch, allowance, spare),
    )
