"""All trials of one finite-difference check, as long as there is time (child's side)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.child.differencing import finding
from grader.child.differencing.bench import Bench
from grader.child.differencing.finding import CHECK, COMPARING, Found, Way
from grader.child.differencing.session import TENSORS, Session, at_a_step, refused
from grader.child.differencing.watching import Watcher
from grader.child.differencing.whole import OWN, Whole, on_its_own
from grader.child.verifying import saying
from grader.child.verifying.examination import seeded
from grader.child.verifying.saying import Said
from grader.child.verifying.spoiling import Array, Run
from grader.child.verifying.subject import ARGUMENTS, Subject
from grader.child.verifying.surmise import Corruption, spoiled

MOST_AT = 4096
"""Points noted of a helper."""


class Examination:
    """One submission's check: found, called as it is, and with gradients that are spoiled."""

    def __init__(self, driver: Any, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        self.items, self.driver = items, driver
        until = time.monotonic() + float(items["seconds"])
        watcher = Watcher()
        noise = int(items["noise"])
        subject = Subject(driver, files, items["main"], noise, wanted="", spoiler=watcher)
        plans = {name: self._plan(name) for name in ("plan", "more")}
        ladder = [float(word) for word in items["ladder"].split()]
        self.bench = Bench(driver, subject, watcher, plans, ladder, until)

    def _plan(self, name: str) -> list[Corruption]:
        rows = (line.split(" ") for line in self.items[name].splitlines())
        return [Corruption(kind, float(amount)) for kind, amount in rows]

    def held(self) -> None:
        """Fill the reply; the first candidate that takes a step is the one."""
        whole = Whole(self.bench, self.items)
        helpers = []
        for found in finding.candidates(self.driver.bind(), self.driver.names):
            if found.kind != CHECK and not found.is_named:
                helpers.append(found)  # what calls it says more
            elif self._check(found) if found.kind == CHECK else self._helper(found):
                return
        if not whole.held():
            any(map(self._helper, helpers))

    def _found(self, found: Found, case: int) -> None:
        code = getattr(found.function.call, "__code__", None)
        path = code.co_filename if code is not None else ""
        self.bench.tell("check", found.kind, found.function.name, found.asks_step, case)
        self.bench.tell("place", "check", path, found.function.line)

    # ── a check of the network ───────────────────────────────────────────────

    def _check(self, found: Found) -> bool:
        """Examine one that is given the inputs; False where it takes no step of any input."""
        if found.alone:
            return self._alone(found)
        for case in range(OWN):
            arguments = [self.items[f"{name}{case}"] for name in ARGUMENTS]
            for way in found.ways:
                session = Session(self.bench, way, arguments)
                if session.points.seen:
                    self._found(found, case)
                    session.told()
                    return True
                if not self.bench.in_time:
                    return False
                if found.is_named and not session.first.raised:
                    return self._still(found, session)
        return False

    def _still(self, found: Found, session: Session) -> bool:
        """One that says of itself that it checks, and takes no step: does it ever say no?

        What refuses a spoiled gradient compares with something else, such as autograd.
        """
        rows = self.bench.rows
        before = len(rows)
        self._found(found, 0)
        session.told()
        if any(line.split("\t")[5:6] in ([way] for way in saying.WAYS) for line in rows[before:]):
            del rows[before:]
            self.bench.arrays.clear()
            return False
        return True

    def _alone(self, found: Found) -> bool:
        """Examine one that draws its own numbers: those of its first call of `forward`."""
        (way,) = found.ways
        session = on_its_own(self.bench, way)
        if session is None or not session.points.seen:
            return False
        self._found(found, OWN)
        session.told(alone=True)
        return True

    # ── a helper ─────────────────────────────────────────────────────────────

    def _helper(self, found: Found) -> bool:
        """Examine one that is given a function: Σ sin(x + phase), whose slope is a cosine."""
        (way,) = found.ways
        self.bench.watcher.points = None
        for tensor in TENSORS:
            task = _Task(self.items[f"{tensor}0"], self.items[f"phase_{tensor}"])
            said = self._asked(way, task, task.slope, Run())
            if (said.raised and not said.objects) or not task.at:
                return False
            if tensor == TENSORS[0]:
                self._found(found, 0)
                self.bench.tell("base", "refused" if saying.objects(said) else "accepted")
            self.bench.arrays[f"points_{tensor}"] = np.array(task.at)
            self.bench.arrays[f"after_{tensor}"] = task.x
            if found.kind == COMPARING:
                self._spoil(way, tensor, said, task.at)
            elif task.answer is not None:
                self.bench.arrays[f"numeric_{tensor}"] = task.answer
        return True

    def _asked(self, way: Way, task: _Task, gradient: Array, run: Run) -> Said:
        return self.bench.attempt(lambda: task.keep(way(task, task.x, gradient)), run, None)

    def _spoil(self, way: Way, tensor: str, base: Said, at: list[Array]) -> None:
        """The gradient that a comparing helper is given, gone wrong in each way."""
        for plan, always in (("plan", True), ("more", False)):
            for corruption in self.bench.plans[plan]:
                if not (always or self.bench.missed(tensor)) or not self.bench.in_time:
                    return
                task = _Task(self.items[f"{tensor}0"], self.items[f"phase_{tensor}"])
                wrong = spoiled(task.slope, at_a_step(corruption, task.x, at), None)
                outcome = "inapplicable"
                if wrong is not None:
                    run = Run(only=frozenset(base.truths))
                    outcome = refused(base, self._asked(way, task, wrong, run)) or "accepted"
                words = (corruption.kind, corruption.amount, tensor, outcome, "", 0)
                self.bench.tell("trial", 0, *words)


class _Task:
    """The function that a helper differentiates; it notes where it is asked."""

    def __init__(self, x: Array, phase: Array) -> None:
        self.x, self.phase = x.copy(), phase
        self.slope = np.cos(x + phase)
        self.at: list[Array] = []
        self.answer: Array | None = None

    def __call__(self, *arguments: Any) -> float:
        x = np.asarray(arguments[0] if arguments else self.x)
        if len(self.at) < MOST_AT:
            self.at.append(np.array(x, np.float64, subok=False))
        return float(np.sin(x + self.phase).sum())

    def keep(self, value: Any) -> Any:
        """Note the gradient in what a helper gives back."""
        parts = value if isinstance(value, tuple | list) else [value]
        arrays = [p for p in parts if isinstance(p, np.ndarray) and p.shape == self.x.shape]
        if arrays and arrays[0].dtype.kind == "f":
            self.answer = np.array(arrays[0], np.float64, subok=False)
        return value


def examine(driver: Any, files: dict[str, bytes], items: Mapping[str, Any]) -> dict[str, Any]:
    """Rows and arrays of one examination; `stopped` says what ended it early."""
    with seeded(int(items["noise"])):
        examination = None
        try:
            examination = Examination(driver, files, items)
            examination.held()
            stopped = ""
        except Exception as error:
            stopped = f"{type(error).__name__}: {error}"[:500]
    if examination is None:
        return {"rows": "", "stopped": stopped}
    bench = examination.bench
    return {**bench.arrays, "rows": "\n".join(bench.rows), "stopped": stopped}
