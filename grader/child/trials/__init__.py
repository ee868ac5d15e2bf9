"""Puts a submission's own checks to the test: does it notice a wrong gradient? (child's side)

One mechanism for both kinds, `verify` and a check by finite differences: `examination` holds
the trials of a submission, `session` the runs on one set of inputs, in which `spoiler` puts a
wrong gradient (`corruption`), and `response` tells from two runs whether that was noticed.
What this finds is the child's word; in `blind` a verification is run on arrays of the judge's,
of which nothing here knows whether they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.child.reports import to_json
from grader.child.trials.blind import BlindExamination
from grader.child.trials.differences import DifferenceExamination
from grader.child.trials.examination import seeded
from grader.child.trials.verification import VerificationExamination

if TYPE_CHECKING:
    from grader.child.driver import Driver

__all__ = ["BlindExamination", "DifferenceExamination", "VerificationExamination", "examine"]

STOPPED_CHARS = 500


def examine(
    kind: type[VerificationExamination] | type[BlindExamination] | type[DifferenceExamination],
    driver: Driver,
    items: dict[str, Any],
) -> dict[str, Any]:
    """Return the items of the reply: what one examination came to, however it ended."""
    files = driver.prepare(items)
    with seeded(driver.noise):
        examination, stopped = None, ""
        try:
            examination = kind(driver, files, items)
            examination.take()
        except Exception as error:
            stopped = f"{type(error).__name__}: {error}"[:STOPPED_CHARS]
    if examination is None:
        return {"report": to_json(kind.REPORT(stopped=stopped))}
    return examination.result(stopped)
