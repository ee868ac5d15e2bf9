"""All trials of one submission's verification, strictest first, as long as there is time.

Child's side.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from grader.child.verifying import saying
from grader.child.verifying.saying import Said
from grader.child.verifying.session import TENSORS, Session
from grader.child.verifying.spoiling import Array
from grader.child.verifying.subject import ARGUMENTS, Subject
from grader.child.verifying.surmise import Corruption
from grader.source.trees import walk

ROWS = 600


class Examination:
    """All trials of one submission, strictest first, as long as there is time."""

    def __init__(self, driver: Any, files: dict[str, bytes], items: Mapping[str, Any]) -> None:
        self.until = time.monotonic() + float(items["seconds"])
        self.items = items
        self.rows: list[str] = []
        self.subject = Subject(driver, files, items["main"], int(items["noise"]))
        self.slowest = 0.0
        self.case = 0 if self.subject.is_function else 2  # the numbers of a script are its own

    def held(self) -> list[str]:
        """Rows of words, a tab between them; what the judge makes of them stands there."""
        subject = self.subject
        self._row("found", "function" if subject.is_function else "script")
        main = Session(subject, self._arguments(0) if subject.is_function else None)
        self._about(main)
        if main.says_no() or not main.can:
            return self.rows
        self._try(main, self.case, self._plan("plan0"), TENSORS)
        refused = any(row[5] in saying.WAYS for row in self._trials())
        if not subject.is_function and not refused:
            return self.rows  # a demo that compares nothing
        late = [t for t in TENSORS if "all" in self.items or self._missed(t)]
        if subject.is_function:
            square = Session(subject, self._arguments(1))
            if square.can and not square.says_no():
                late += self._try(square, 1, self._plan("plan1"), ("W1", "W2", "X"))
        else:
            late += self._try(main, self.case, self._plan("plan1"), ("W1", "W2", "X"))
        self._try(main, self.case, self._plan("more"), [t for t in TENSORS if t in late])
        for tensor in (t for t in TENSORS if self._missed(t)):
            self._climb(main, tensor)
        return self.rows

    def _arguments(self, case: int) -> list[Array]:
        return [self.items[f"{name}{case}"] for name in ARGUMENTS]

    def _plan(self, name: str) -> list[Corruption]:
        rows = (row.split(" ") for row in self.items[name].splitlines())
        return [Corruption(kind, float(amount)) for kind, amount in rows]

    def _about(self, session: Session) -> None:
        """What can be said before anything is spoiled."""

        def word(no: bool) -> str:
            return "refused" if no else "accepted"

        self._row("sides", session.runs_a_side())
        self._row("equalised", session.equalised, session.can)
        self._row("base", word(session.says_no()))
        by = saying.refused(session.base, session.raw) if session.equalised else ""
        self._row("raw", word(bool(by) or session.says_no()), by)
        wrong, place = session.different() if session.says_no() else ([], ("", 0))
        if wrong:
            self._row("different", ",".join(wrong), *place)
        self._row("place", "verdict", *self._verdict_line(session))
        if saying.objects(session.base):
            self._row("place", "refusal", *self._refusal_line(session))

    def _try(self, session: Session, case: int, plan: list[Corruption], tensors: Any) -> list[str]:
        """Rows for each corruption of each tensor; gives those that were missed."""
        missed = list[str]()
        for corruption in plan:
            for tensor in tensors:
                if not self._time_left():
                    return missed
                started = time.monotonic()
                outcome, said = session.tried(tensor, corruption)
                self.slowest = max(self.slowest, time.monotonic() - started)
                place = self._place(session.base, said, outcome)
                self._row(
                    "trial", case, corruption.kind, corruption.amount, tensor, outcome, *place
                )
                if outcome in ("accepted", "absent"):
                    missed.append(tensor)
        return missed

    def _trials(self) -> list[list[str]]:
        """The rows of the trials on the first set of inputs."""
        return [r.split("\t") for r in self.rows if r.startswith(f"trial\t{self.case}\t")]

    def _time_left(self) -> bool:
        return time.monotonic() + self.slowest < self.until

    def _missed(self, tensor: str) -> bool:
        """Whether a trial of the tensor, with the inputs of the first case, was not refused."""
        return any(row[4] == tensor and row[5] in ("accepted", "absent") for row in self._trials())

    def _climb(self, session: Session, tensor: str) -> None:
        """Between which two of the ladder's errors a scaled gradient is first refused."""
        ladder = [float(word) for word in self.items["ladder"].split()]
        low, high = 0, len(ladder)  # the first is known to pass, what is above the last is not
        said = [row[5] for row in self._trials() if row[4] == tensor]
        if not said or said[0] != "accepted" or not set(said) & set(saying.WAYS):
            return  # it is tight enough, or not looked at
        while high - low > 1 and self._time_left():
            middle = (low + high) // 2
            corruption = Corruption("scale", 1.0 + ladder[middle])
            outcome, spoken = session.tried(tensor, corruption)
            place = self._place(session.base, spoken, outcome)
            self._row("trial", self.case, "scale", corruption.amount, tensor, outcome, *place)
            low, high = (middle, high) if outcome == "accepted" else (low, middle)

    # ── lines ────────────────────────────────────────────────────────────────

    def _place(self, base: Said, said: Said | None, outcome: str) -> tuple[str, int]:
        """Where a comparison turned out otherwise, or where it raised."""
        if said is None or outcome == "accepted":
            return "", 0
        number = saying.flipped(base, said)
        if number is not None:
            return self.subject.place(number)
        return said.where if outcome == saying.RAISE else ("", 0)

    def _verdict_line(self, session: Session) -> tuple[str, int]:
        """The last `return` of the function that verifies, or its first line."""
        subject = self.subject
        if not subject.is_function:
            return "", 0
        code = getattr(inspect.unwrap(subject.function), "__code__", None)
        path, line = ("", 0) if code is None else (code.co_filename, code.co_firstlineno)
        if path not in subject.files:  # it is called through something of ours
            sides = session.sides.hand_places | session.sides.auto_places
            own = (number for number in session.first.visited if number not in sides)
            path, line = next((subject.place(number) for number in own), ("", 0))
        around = [
            node
            for node in walk(
                subject.driver.parser.tree(subject.files[path], path) if path else ast.Pass()
            )
            if isinstance(node, ast.FunctionDef)
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) <= line
            and line <= (node.end_lineno or 0)
        ]
        if not around:
            return "", 0
        verify = max(around, key=lambda node: node.lineno)
        returns = [n.lineno for n in walk(verify) if isinstance(n, ast.Return)]
        return path, max(returns, default=verify.lineno)

    def _refusal_line(self, session: Session) -> tuple[str, int]:
        """The comparison that turned out badly on a pair that agrees."""
        sides = session.sides.hand_places | session.sides.auto_places
        for number, truths in session.base.truths.items():
            if number not in sides and not all(truths):
                return self.subject.place(number)
        return session.base.where

    def _row(self, *words: object) -> None:
        if len(self.rows) < ROWS:
            self.rows.append(row(*words))


def row(*words: object) -> str:
    """One row of a reply: the words with a tab between them."""
    texts = (str(int(word)) if isinstance(word, bool) else str(word) for word in words)
    return "\t".join(text.replace("\t", " ").replace("\n", " ") for text in texts)


@contextlib.contextmanager
def seeded(noise: int) -> Iterator[None]:
    """`default_rng()` without a seed draws the same in each run, as the old generators do."""
    plain = np.random.default_rng

    def default_rng(seed: Any = None) -> Any:
        return plain(noise if seed is None else seed)

    np.random.default_rng = default_rng
    try:
        yield
    finally:
        np.random.default_rng = plain


def examine(driver: Any, files: dict[str, bytes], items: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of one examination; `stopped` says what ended it early."""
    with seeded(int(items["noise"])):
        examination = None
        try:
            examination = Examination(driver, files, items)
            examination.held()
            stopped = ""
        except Exception as error:
            stopped = f"{type(error).__name__}: {error}"[:500]
    rows = examination.rows if examination else []
    return {"rows": "\n".join(rows), "stopped": stopped}
