"""Runs a verification on arrays that come from the judge, and says what it said (child's side).

In each run both sides give what the judge sent: two arrays for each gradient, which agree or
do not. Nothing here tells which: every run comes by the same lines, with the same swaps, and
what was said is taken apart only. The judge alone knows what was sent, and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child.binding.canonical import ARGUMENTS
from grader.child.coerce import TENSORS
from grader.child.reports import BlindReport, SayingReport, to_json
from grader.child.trials.corruption import marked
from grader.child.trials.examination import Examination
from grader.child.trials.response import Response
from grader.child.trials.spoiler import Array, Run
from grader.child.trials.verification_session import VerificationSession, check_of

if TYPE_CHECKING:
    from grader.child.driver import Driver

MOST = 64
MOST_PLACES = 5000


class BlindExamination(Examination):
    """One submission's verification, in as many runs as the judge sent arrays for."""

    REPORT = BlindReport

    def __init__(self, driver: Driver, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        super().__init__(driver, files, items)
        self.check = check_of(driver)
        self.given, self.apart = items["given"] == "1", items["apart"] == "1"
        self.sayings: list[SayingReport] = []

    def take(self) -> None:
        """Make all runs: on inputs of their own each, if any are taken."""
        arguments = self._inputs(0) if self.check else None
        main = VerificationSession(self.subject, self.check, arguments)
        for number in range(1, int(self.items["runs"]) + 1):
            if not self.in_time:
                return
            with self.subject.timed():
                session = self._session(main, number) if self.given else main
                run = self._run(session, number, frozenset(main.raw.truths))
                self.sayings.append(saying(session.attempt(run), run))

    def _inputs(self, number: int) -> list[Array]:
        return [self.items[f"{name}.{number}"] for name in ARGUMENTS]

    def _session(self, main: VerificationSession, number: int) -> VerificationSession:
        """Return what is known of a run on inputs of its own: the sides' answers, if asked for.

        Where there are no functions to ask, a run of the whole tells them.
        """
        if main.adopted:
            return VerificationSession(self.subject, main.check, self._inputs(number))
        return main.elsewhere(self._inputs(number), apart=self.apart)

    def _run(self, session: VerificationSession, number: int, places: frozenset[int]) -> Run:
        """Return a run in which each origin gives what the judge sent for its side."""
        run = Run(loss=session.loss, only=places)
        for tensor in TENSORS:
            for origin in session.origins[tensor]:
                sent = self.items[f"{origin.was.role}_{tensor}.{number}"]
                if not self.given:
                    sent = marked((session.sides.hand | session.sides.auto)[tensor], sent)
                form = session.origins[tensor][-1] if tensor in session.unequal else origin
                array = in_form_of(form.was.array, sent)
                if array is not None:
                    always = self.given and session.is_steady(origin)
                    run.swap(origin.number, origin.was, array, always=always)
        return run

    def result(self, stopped: str) -> dict[str, Any]:
        """Return the items of the reply; `stopped` says what ended the runs early."""
        return {"report": to_json(BlindReport(tuple(self.sayings), stopped))}


def in_form_of(was: Array, sent: Array) -> Array | None:
    """Return what was sent, laid out as what stood there: turned, or with an axis of 1."""
    if sent.size != was.size:
        return None
    forms = [form for form in (sent, sent.T) if form.shape == was.shape]
    if not forms:
        return sent.reshape(was.shape)
    return np.array(max(forms, key=lambda form: abs(float(np.vdot(form, was)))))


def saying(response: Response, run: Run) -> SayingReport:
    """Return what a run said, taken apart."""
    truths = response.truths.items()
    return SayingReport(
        refuses=response.refuses,
        booleans=response.booleans[:MOST],
        numbers=response.numbers[:MOST],
        texts=len(response.texts),
        good=response.good,
        bad=response.bad,
        true=tuple(place for place, values in truths if any(values))[:MOST_PLACES],
        false=tuple(place for place, values in truths if not all(values))[:MOST_PLACES],
        placed=tuple(sorted(run.placed)),
    )
