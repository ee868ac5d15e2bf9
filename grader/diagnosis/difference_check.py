"""Defects of the candidate's own finite-difference check, if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grader.checks.differences import Stepping, stepped
from grader.checks.view import View
from grader.diagnosis.numeric import make
from grader.observe.difference_check import DifferenceCheck
from grader.records import TENSORS, Defect


def difference_defects(view: View) -> Iterator[Defect]:
    """One-sided, with a step too large or too small, or a check that never says no.

    Each stands at the check's definition; the finders of `sites` know a better line.
    """
    record = view.differences
    if not record.kind:
        return
    found = stepped(view)
    for defect in (*_inaccurate(record, found), *_never_fails(record)):
        yield _placed(defect, record)


def _inaccurate(record: DifferenceCheck, found: Sequence[Stepping]) -> Iterator[Defect]:
    one_sided = [s for s in found if not s.central]
    if one_sided:
        text = f"{record.name}: the loss is taken on one side of {_names(one_sided)} only."
        yield make("fd-one-sided", text, _tensors(one_sided))
    if record.asks_step:
        return
    for code, wrong in (
        ("fd-step-too-large", [s for s in found if s.too_large]),
        ("fd-step-too-small", [s for s in found if s.too_small]),
    ):
        if wrong:
            first = wrong[0]
            text = (
                f"{record.name}: a step of {first.step:.2g} leaves an error of about "
                f"{first.error:.0e}, where one near {first.eps ** (1.0 / 3.0):.0e} leaves "
                f"{first.eps ** (2.0 / 3.0):.0e}."
            )
            yield make(code, text, _tensors(wrong))


def _never_fails(record: DifferenceCheck) -> Iterator[Defect]:
    trials = record.trials
    if record.kind == "helper" or trials.accepts is not True:
        return
    if trials.overlooked == TENSORS:
        words = list(dict.fromkeys(t.words for t in trials.of(TENSORS[0]) if t.missed))
        text = f"{record.name} accepts each gradient {', '.join(words[:4])}."
        yield make("fd-always-passes", text)


def _names(found: Sequence[Stepping]) -> str:
    return ", ".join(s.tensor for s in found)


def _tensors(found: Sequence[Stepping]) -> tuple[str, ...]:
    return tuple(s.tensor for s in found)


def _placed(defect: Defect, record: DifferenceCheck) -> Defect:
    file, line = record.place
    if not line:
        return defect
    source = record.trials.sources[file][line - 1].strip()
    return replace(defect, file=file, line=line, end_line=line, source=source)
