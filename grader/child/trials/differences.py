"""Puts a submission's own finite-difference check to the test (child's side).

It looks for the check, calls it on small inputs, notes at which points near them the loss is
taken, and calls it again and again, each time with one gradient of the hand-written side made
wrong. Where no function says of itself that it checks by differences, the verification and
then the script are tried, which may take some themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child import coerce
from grader.child.binding.canonical import ARGUMENTS
from grader.child.coerce import TENSORS
from grader.child.fields import NAME_CHARS
from grader.child.reports import (
    NOWHERE,
    OWN_NUMBERS,
    Corruption,
    CorruptionKind,
    DifferenceForm,
    DifferenceReport,
    Refusal,
    Tolerance,
    TrialOutcome,
    TrialReport,
    to_json,
)
from grader.child.trials.candidates import Candidate, Way, candidates
from grader.child.trials.corruption import at_a_step, corrupted
from grader.child.trials.difference_session import DifferenceSession
from grader.child.trials.examination import Examination
from grader.child.trials.inputs import CallLog, inputs_in
from grader.child.trials.quotients import line_in_script, quotients
from grader.child.trials.response import Response, printed_refusal, refusal
from grader.child.trials.session import objects
from grader.child.trials.spoiler import Array, Run
from grader.child.trials.subject import takes
from grader.child.trials.task import Task
from grader.source import cells

if TYPE_CHECKING:
    from grader.child.driver import Driver

SLIGHTLY = 0.01
"""Of the ladder of errors, the one that is always tried."""

OWN_LIMIT = (Refusal.RETURN, Refusal.RAISE, Refusal.COMPARISON)
"""What refuses by a limit of its own."""

SCRIPT = "the script"


class DifferenceExamination(Examination):
    """One submission's check: found, called as it is, and with gradients that are wrong."""

    REPORT = DifferenceReport

    def __init__(self, driver: Driver, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        super().__init__(driver, files, items)
        self.facts = DifferenceReport()
        self.arrays: dict[str, Array] = {}

    def take(self) -> None:
        """Examine the first candidate that takes a step."""
        helpers = []
        for candidate in candidates(self.driver.bind(), self.driver.names):
            is_check = candidate.kind is DifferenceForm.CHECK
            if not is_check and not candidate.is_named:
                helpers.append(candidate)  # what calls it says more
            elif self._check(candidate) if is_check else self._helper(candidate):
                return
        if not self._whole():
            any(map(self._helper, helpers))

    def result(self, stopped: str) -> dict[str, Any]:
        """Return the items of the reply; `stopped` says what ended the trials early."""
        report = replace(self.facts, trials=tuple(self.trials), stopped=stopped)
        return {**self.arrays, "report": to_json(report)}

    def _found(self, report: DifferenceReport) -> None:
        """Report which check it is; the first that was found stays it."""
        if not self.facts.kind:
            self.facts, self.case = report, report.case

    def _found_candidate(self, candidate: Candidate, case: str) -> None:
        function = candidate.function
        code = getattr(function.call, "__code__", None)
        place = ("" if code is None else code.co_filename, function.line)
        self._found(
            DifferenceReport(
                candidate.kind, function.name[:NAME_CHARS], candidate.asks_step, case, place
            )
        )

    def _numbered(self) -> Iterator[tuple[str, list[Array]]]:
        """Yield name and inputs of each case, the small one first, as long as there is time."""
        for number, case in enumerate(self.plan.cases):
            yield case, self.arguments(number)
            if not self.in_time:
                return

    # ── a check of the network ───────────────────────────────────────────────

    def _check(self, candidate: Candidate) -> bool:
        """Examine one that is given the inputs; False where it takes no step of any input."""
        if candidate.alone:
            session = self._on_its_own(candidate.ways[0])
            if session is None or not session.points.by_tensor:
                return False
            self._found_candidate(candidate, OWN_NUMBERS)
            self._examine(session)
            return True
        for case, arguments in self._numbered():
            for way in candidate.ways:
                session = DifferenceSession(self.subject, way, arguments)
                if session.points.by_tensor:
                    self._found_candidate(candidate, case)
                    self._examine(session)
                    return True
                if not self.in_time:
                    return False
                if candidate.is_named and not session.raw.raised:
                    return self._still(candidate, session)
        return False

    def _still(self, candidate: Candidate, session: DifferenceSession) -> bool:
        """Examine one that says of itself that it checks, and takes no step: does it ever say no?

        What refuses a wrong gradient compares with something else, such as autograd.
        """
        before, count = self.facts, len(self.trials)
        self._found_candidate(candidate, self.plan.cases[0])
        self._examine(session)
        if self.refused():
            self.facts, self.case = before, self.plan.cases[0]
            del self.trials[count:]
            self.arrays.clear()
            return False
        return True

    def _on_its_own(self, way: Way, *, whole: bool = False) -> DifferenceSession | None:
        """Return a session of what is given nothing, on the numbers that it gives to `forward`."""
        module, name = self.driver.module, self.driver.names.get("forward", "forward")
        plain, log = getattr(module, name, None), CallLog()
        if not callable(plain):
            return None
        setattr(module, name, log.listening(plain))
        try:
            self.subject.attempt(way, Run(), None)
        finally:
            setattr(module, name, plain)
        if log.base is None or not self.in_time:
            return None
        return DifferenceSession(self.subject, way, log.base, whole=whole)

    def _examine(self, session: DifferenceSession) -> None:
        """Report the points and what is left of the arguments, and make the trials."""
        points = session.points.by_tensor
        self.arrays |= {f"points_{t}": np.array(arrays) for t, arrays in points.items()}
        alone = self.case == OWN_NUMBERS
        what, arrays = ("base", session.own_arguments) if alone else ("after", session.after)
        for name, array in zip(ARGUMENTS, arrays, strict=True):
            if alone or name != "y":
                self.arrays[f"{what}_{name}"] = coerce.as_array(array, name)
        session.equalise()
        self.facts = replace(self.facts, equalised=session.equalised, equal=session.equal)
        no = objects(session, session.base) or self._wavers(session)
        if session.whole and no:
            return  # to autograd's gradients or to the loss, for all that is known
        self.facts = replace(self.facts, accepts=not no)
        if session.raw.numbers and not session.whole:
            self.facts = replace(self.facts, number=max(session.raw.numbers))
        if no or not session.equal:
            return
        before = len(self.trials)
        self.try_all(session, "first", TENSORS)
        self.try_all(session, "more", [t for t in TENSORS if self.missed(t)])
        if session.whole and not self.refused():
            del self.trials[before:]  # it shows the differences, and compares nothing
        self._measure(session)

    def _wavers(self, session: DifferenceSession) -> bool:
        """Return whether it refuses the second time what it accepted the first time.

        What it prints does not count: it may say how long it took.
        """
        if session.whole:
            return False
        again = session.attempt(session.agreeing_run())
        return refusal(session.base, again) not in (None, Refusal.PRINT)

    def _measure(self, session: DifferenceSession) -> None:
        """Find between which two of the ladder's errors one scaled gradient is first refused.

        Where numbers are returned or printed there is no such limit: the reader draws it.
        """
        ladder, low, high = self.plan.ladder, -1, len(self.plan.ladder)
        for trial in self.trials:
            if trial.kind is not CorruptionKind.SCALE or trial.amount != 1.0 + SLIGHTLY:
                continue
            tensor = trial.tensor
            if trial.by in OWN_LIMIT:
                high = ladder.index(SLIGHTLY)
                break
            if trial.outcome is TrialOutcome.ACCEPTED and self.refused(tensor):
                low = ladder.index(SLIGHTLY)
                break
        else:
            return
        while high - low > 1 and self.in_time:
            middle = (low + high) // 2
            outcome, _, _ = session.tried(
                tensor, Corruption(CorruptionKind.SCALE, 1.0 + ladder[middle])
            )
            passes = outcome is TrialOutcome.ACCEPTED
            low, high = (middle, high) if passes else (low, middle)
        if high - low == 1:
            ends = (0.0, *ladder, float("inf"))[low + 1 : high + 2]
            self.facts = replace(self.facts, tolerance=Tolerance(tensor, *ends))

    # ── a helper ─────────────────────────────────────────────────────────────

    def _helper(self, candidate: Candidate) -> bool:
        """Examine one that is given a function; False where it cannot be run."""
        (way,) = candidate.ways
        for tensor in TENSORS:
            task = self._task(tensor)
            base = self._asked(way, task, task.slope, Run())
            if not task.points:
                return False
            if tensor == TENSORS[0]:
                self._found_candidate(candidate, self.plan.cases[0])
                if self.facts.accepts is None:
                    self.facts = replace(self.facts, accepts=not base.objects)
            self.arrays[f"points_{tensor}"] = np.array(task.points)
            self.arrays[f"after_{tensor}"] = task.x
            if candidate.kind is DifferenceForm.COMPARING:
                self._try_helper(way, tensor, base, task.points)
            elif task.answer is not None:
                self.arrays[f"numeric_{tensor}"] = task.answer
        return True

    def _task(self, tensor: str) -> Task:
        return Task(self.items[f"{tensor}0"], self.items[f"phase_{tensor}"])

    def _asked(self, way: Way, task: Task, gradient: Array, run: Run) -> Response:
        return self.subject.attempt(lambda: task.noted(way(task, task.x, gradient)), run, None)

    def _try_helper(self, way: Way, tensor: str, base: Response, points: list[Array]) -> None:
        """Try the gradient that a comparing helper is given, gone wrong in each way."""
        for stage in ("first", "more"):
            for corruption in self.plan.stages[stage]:
                if (stage == "more" and not self.missed(tensor)) or not self.in_time:
                    return
                task = self._task(tensor)
                wrong = corrupted(task.slope, at_a_step(corruption, task.x, points), None)
                outcome, by = TrialOutcome.NOT_APPLICABLE, None
                if wrong is not None:
                    run = Run(only=frozenset(base.truths))
                    by = printed_refusal(base, self._asked(way, task, wrong, run))
                    outcome = TrialOutcome.REFUSED if by else TrialOutcome.ACCEPTED
                self.add(
                    TrialReport(self.case, corruption.kind, corruption.amount, tensor, outcome, by)
                )

    # ── a verification or a script that takes differences itself ─────────────

    def _whole(self) -> bool:
        """Examine the verification, then the script; False where neither takes a step."""
        for case, session in self._verifications():
            if session.steps_itself:
                return False  # each run is slow, and nothing can be told apart
            if session.steps:
                self._found(self._named(case))
                self._examine(session)
                return True
        return self._script()

    def _verifications(self) -> Iterator[tuple[str, DifferenceSession]]:
        function = self.driver.function("verify")
        if not callable(function):
            return
        own = inspect.unwrap(function)
        if takes(own) and not takes(own, *ARGUMENTS):
            session = self._on_its_own(lambda *_: own(), whole=True)
            if session is not None:
                yield OWN_NUMBERS, session
            return
        if self.in_time:
            for case, arguments in self._numbered():
                yield case, DifferenceSession(self.subject, function, arguments, whole=True)

    def _named(self, case: str) -> DifferenceReport:
        """Return its name and place; where it is called through something of ours, a quotient's."""
        code = getattr(inspect.unwrap(self.driver.function("verify")), "__code__", None)
        name, place, files = "verify", NOWHERE, self.subject.files
        if code is not None and code.co_filename in files:
            name, place = code.co_name[:NAME_CHARS], (code.co_filename, code.co_firstlineno)
        else:
            trees = ((p, cells.parse(d, p)) for p, d in files.items() if p.endswith(".py"))
            place = next(((p, q.lineno) for p, tree in trees for q in quotients(tree)), NOWHERE)
        return DifferenceReport(DifferenceForm.CHECK, name, case=case, place=place)

    def _script(self) -> bool:
        main = self.subject.main
        line = line_in_script(cells.parse(self.subject.files[main], main))
        if not line or not self.in_time:
            return False
        arguments = self._script_inputs()
        if arguments is None or not self.in_time:
            return False
        session = DifferenceSession(self.subject, None, arguments, whole=True)
        if session.steps:
            self._found(
                DifferenceReport(DifferenceForm.CHECK, SCRIPT, case=OWN_NUMBERS, place=(main, line))
            )
            self._examine(session)
        return session.steps

    def _script_inputs(self) -> list[Array] | None:
        """Return the numbers on which it steps, in the order of the contract."""
        name, log = self.driver.names.get("forward", "forward"), CallLog()
        plain: Callable[..., Any] | None = None
        ours: Callable[..., Any] | None = None

        def listen(module: ModuleType) -> None:
            nonlocal plain, ours
            now = vars(module).get(name)
            if callable(now) and now is not ours:
                plain, ours = now, log.listening(now)
                setattr(module, name, ours)

        self.subject.between = listen
        try:
            self.subject.attempt(None, Run(), None)
        finally:
            self.subject.between = None
        module = self.driver.module
        if plain is not None:
            setattr(module, name, plain)
        return log.base if log.steps else inputs_in(vars(module)) or log.base
