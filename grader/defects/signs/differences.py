"""How kinds of the candidate's own finite-difference check show.

Each stands at the check's definition; the finders know a better line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.checks.differences import Stepping, stepped
from grader.defects.clues import Clues
from grader.defects.kind import Sighting
from grader.records import TENSORS, Finding
from grader.source.program import Spot

Findings = Sequence[Finding]


def one_side_only(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the loss is taken at x + h and never at x - h."""
    if found := [s for s in _steppings(clues) if not s.central]:
        names = ", ".join(s.tensor for s in found)
        yield _sight(clues, f"the loss is taken on one side of {names} only.", found)


def wide_step(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the step is so wide that the loss bends inside it."""
    yield from _inaccurate(clues, [s for s in _steppings(clues) if s.too_large])


def narrow_step(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that the step is so narrow that rounding swallows the difference."""
    yield from _inaccurate(clues, [s for s in _steppings(clues) if s.too_small])


def never_refuses(clues: Clues, _findings: Findings) -> Iterator[Sighting]:
    """Tell that it accepts each of five wrong gradients."""
    record = clues.view.differences
    trials = record.trials
    if not record.kind or record.kind == "helper" or trials.accepts is not True:
        return
    if trials.overlooked == TENSORS:
        words = list(dict.fromkeys(t.words for t in trials.of(TENSORS[0]) if t.missed))
        text = f"{record.name} accepts each gradient {', '.join(words[:4])}."
        yield Sighting(text, spot=_place(clues))


def _steppings(clues: Clues) -> Sequence[Stepping]:
    return stepped(clues.view) if clues.view.differences.kind else []


def _inaccurate(clues: Clues, found: Sequence[Stepping]) -> Iterator[Sighting]:
    if found and not clues.view.differences.asks_step:
        first = found[0]
        text = (
            f"a step of {first.step:.2g} leaves an error of about {first.error:.0e}, where one "
            f"near {first.eps ** (1.0 / 3.0):.0e} leaves {first.eps ** (2.0 / 3.0):.0e}."
        )
        yield _sight(clues, text, found)


def _sight(clues: Clues, text: str, found: Sequence[Stepping]) -> Sighting:
    tensors = tuple(s.tensor for s in found)
    return Sighting(f"{clues.view.differences.name}: {text}", tensors, spot=_place(clues))


def _place(clues: Clues) -> Spot | None:
    file, line = clues.view.differences.place
    return Spot(file, line, line) if line else None
