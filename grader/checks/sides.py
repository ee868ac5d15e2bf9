"""What is asked alike of the part by hand and of the PyTorch part."""

from __future__ import annotations

from collections.abc import Sequence

from grader.checks.check import Conclusion, failed, judge, left_open, passed, waits
from grader.checks.view import View, trouble
from grader.problem.compare import UNSCALED
from grader.records import Evidence, Mismatch
from grader.source.work import WorkPlace

SHAPES = {"W1": "D, H", "b1": "H", "W2": "H, C", "b2": "C", "X": "B, D"}
"""The shapes of the five tensors, and so of their gradients."""


def returned(view: View, part: str, function: str, label: str, good: str) -> Conclusion:
    """Return whether a function gave what it has to on ordinary input."""
    step = view.step(f"{part}/primes")
    if uncalled := view.uncalled(part):
        return left_open(f"{function}: {not_called(uncalled)}")
    return passed(good) if step.ok else failed(f"{function}: {trouble(step, label)}.")


def not_called(places: Sequence[WorkPlace]) -> str:
    """Return that code which computes could not be called, and where it stands."""
    first = places[0]
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    where = f"`{first.heading}` ({first.spot.file}, line {first.spot.line}){more}"
    return f"not judged. There is code that computes, and no way to call it was found: {where}."


def values(view: View, part: str, name: str, cases: Sequence[str]) -> list[Evidence]:
    """Return whether the loss, or a gradient, is the oracle's on each case."""
    return [view.value(part, case, name) for case in cases]


def with_real_size(view: View, part: str, name: str, lines: list[Evidence]) -> list[Evidence]:
    """Return the lines, and where all are good those that are not at the size of real work.

    What is too slow for that size, and does not come back, is not told here.
    """
    if not all(line.good for line in lines):
        return lines
    wrong = [line for line in view.at_real_size(part, name) if not line.good]
    return [*lines, *wrong[:1]]


def beyond_factors(
    view: View,
    part: str,
    wrong: dict[str, str],
    cases: Sequence[str],
    good: str,
    bad: str,
    breaks: Sequence[Mismatch],
) -> Conclusion:
    """Judge values on special cases, past constant factors that other checks report already.

    `wrong` has the names of the values, and for each the check that tells of it on ordinary
    inputs. What is wrong there by more than a factor only counts here where it `breaks`.
    """
    lines: list[Evidence] = []
    hidden = []
    for name, check in wrong.items():
        factor = view.factor(part, name)
        here = [view.value(part, case, name, factor or "1") for case in cases]
        if factor is None:
            here = [line for line in here if line.mismatch in breaks]
            hidden += [] if here else [check]
        lines += here
    if hidden and all(line.good for line in lines):
        return waits(bad, *hidden)
    return judge(lines, good)


def scaled(factor: str | None) -> bool:
    """Return whether a factor is one of the batch's or the classes' size."""
    return factor is not None and factor not in UNSCALED


def no_ratio(words: str | None) -> str:
    """Return a ratio in words, or that there is none."""
    return "no constant ratio" if words is None else words
