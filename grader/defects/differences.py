"""Mistakes in the check by finite differences."""

from __future__ import annotations

from functools import partial

from grader.defects.kind import Centrality, Kind, Sign
from grader.defects.signs.differences import narrow_step, never_refuses, one_side_only, wide_step
from grader.defects.sites.differences import quotient, step, verdict
from grader.records import Part, Severity

kind = partial(Kind, part=Part.VERIFICATION)

DIFFERENCES: tuple[Kind, ...] = (
    kind(
        code="fd-one-sided",
        centrality=Centrality.OPTIONAL,
        severity=Severity.MINOR,
        what="The finite difference looks to one side only.",
        shows="verification.fd_accurate fails: the loss is taken at x + h, and never at x - h.",
        why="(f(x+h) − f(x))/h = f' + h f''/2 + …: an error of 1e-8 at best. From both sides the\n"
        "even terms cancel, and h² f'''/6 is left: 1e-10.",
        hint="Step the same way in both directions and divide by the whole distance.",
        ask="How does the error of a one-sided difference depend on the step?",
        wrong="slope = (f(x + h) - f(x)) / h",
        right="slope = (f(x + h) - f(x - h)) / (2 * h)",
        signs=(Sign(one_side_only),),
        placed=quotient,
        sharper=True,
    ),
    kind(
        code="fd-step-too-large",
        centrality=Centrality.OPTIONAL,
        severity=Severity.MINOR,
        what="The step is so wide that the loss bends, or a ReLU switches, inside it.",
        shows="verification.fd_accurate fails and gives the step: above 2e-3 in float64.",
        why="Truncation is h² f'''/6: at h = 0.1 that is 1e-3; at eps^(1/3) = 6e-6 it is 1e-11.",
        hint="Halve the step: if the error falls to a quarter, it was too large.",
        ask="What happens to the error when you halve the step?",
        wrong="h = 1e-1\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        right="h = 6e-6  # eps ** (1 / 3)\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        signs=(Sign(wide_step),),
        placed=step,
        sharper=True,
    ),
    kind(
        code="fd-step-too-small",
        centrality=Centrality.OPTIONAL,
        severity=Severity.MINOR,
        what="The step is so narrow that rounding swallows the difference.",
        shows="verification.fd_accurate fails and gives the step: below 2e-10 in float64.",
        why="f carries an error of eps·|f|, so the slope one of eps·|f|/h: 1e-4 at h = 1e-12. In\n"
        "float32 it is worse still: use float64 for this check.",
        hint="Double the step: if the error halves, it was too small.",
        ask="How many digits are left of f(x + h) − f(x − h) at this step?",
        wrong="h = 1e-12\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        right="h = 6e-6  # eps ** (1 / 3)\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        signs=(Sign(narrow_step),),
        placed=step,
        sharper=True,
    ),
    kind(
        code="fd-always-passes",
        centrality=Centrality.OPTIONAL,
        what="The finite-difference check says yes whatever it has measured.",
        shows="verification.fd_catches fails: each of the five was made wrong, and it said yes.",
        why="`not error > limit` holds for nan, and a limit of 1 for nearly everything: a\n"
        "relative error |a − b| / (|a| + |b|) is never above 1.",
        hint="Feed it a gradient of zeros and one of nan; it should refuse both.",
        ask="What does your check say of a gradient of zeros, and of one of nan?",
        wrong="error = abs(slope - gradient) / (abs(slope) + abs(gradient))\n"
        "passed = not error > 1",
        right="error = abs(slope - gradient) / (abs(slope) + abs(gradient))\n"
        "passed = error <= 1e-6",
        signs=(Sign(never_refuses),),
        placed=verdict,
        sharper=True,
    ),
)
