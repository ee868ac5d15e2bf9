"""A verification, or a script, that takes differences itself (child's side)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from grader.child.differencing.bench import Bench
from grader.child.differencing.finding import CHECK, Way
from grader.child.differencing.numbers import Noticed, kept_by
from grader.child.differencing.quotients import line_in_script, quotients
from grader.child.differencing.session import Session
from grader.child.verifying.spoiling import Array, Run
from grader.child.verifying.subject import ARGUMENTS, takes
from grader.source import cells

OWN = 2
"""The case of who is handed no numbers; before it come the small inputs of the judge's, and
larger ones for who takes more entries at once than those have."""

SCRIPT = "the script"


def on_its_own(bench: Bench, way: Way, *, whole: bool = False) -> Session | None:
    """A session of what is given nothing, on the numbers that it gives to `forward`."""
    module, name = bench.driver.module, _forward(bench)
    plain, noticed = getattr(module, name, None), Noticed()
    if not callable(plain):
        return None
    setattr(module, name, noticed.listening(plain))
    try:
        bench.attempt(lambda: way(), Run(), None)
    finally:
        setattr(module, name, plain)
    if noticed.base is None or not bench.in_time:
        return None
    return Session(bench, way, noticed.base, whole=whole)


def _forward(bench: Bench) -> str:
    return str(bench.driver.names.get("forward", "forward"))


class Whole:
    """What is examined where no function says of itself that it checks by differences."""

    def __init__(self, bench: Bench, items: Mapping[str, Any]) -> None:
        self.bench, self.items = bench, items
        self.subject, self.driver = bench.subject, bench.driver
        self.by_backward = False

    def held(self) -> bool:
        """Fill the reply; False where neither takes a step."""
        return self._verification() or (not self.by_backward and self._script())

    def _told(self, session: Session, name: str, case: int, path: str, line: int) -> bool:
        self.bench.tell("check", CHECK, name, False, case)
        self.bench.tell("place", "check", path, line)
        session.told(alone=case == OWN)
        return True

    # ── verify ───────────────────────────────────────────────────────────────

    def _verification(self) -> bool:
        function = self.driver._find("verify")
        if not callable(function):
            return False
        for case, session in self._sessions(function):
            self.by_backward = session.steps_itself
            if self.by_backward:
                return False  # each run is slow, and nothing can be told apart
            if session.steps:
                return self._told(session, *self._named(function, case))
        return False

    def _sessions(self, function: Callable[..., Any]) -> Iterator[tuple[int, Session]]:
        own = inspect.unwrap(function)
        if takes(own) and not takes(own, *ARGUMENTS):
            session = on_its_own(self.bench, lambda *_: own(), whole=True)
            if session is not None:
                yield OWN, session
            return
        for case in range(OWN):
            if self.bench.in_time:
                arguments = [self.items[f"{name}{case}"] for name in ARGUMENTS]
                yield case, Session(self.bench, function, arguments, whole=True)

    def _named(self, function: Callable[..., Any], case: int) -> tuple[str, int, str, int]:
        """Its name and its place; where it is called through something of ours, a quotient's."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is not None and code.co_filename in self.subject.files:
            return code.co_name, case, code.co_filename, code.co_firstlineno
        for path, data in self.subject.files.items():
            if path.endswith(".py") and (found := next(quotients(cells.parse(data, path)), None)):
                return "verify", case, path, found.lineno
        return "verify", case, "", 0

    # ── the script ───────────────────────────────────────────────────────────

    def _script(self) -> bool:
        main = self.subject.main
        line = line_in_script(cells.parse(self.subject.files[main], main))
        if not line or not self.bench.in_time:
            return False
        self.subject.statements, self.subject.is_function = self.subject.parted(), False
        try:
            arguments = self._of_script()
            if arguments is None or not self.bench.in_time:
                return False
            session = Session(self.bench, lambda *_: None, arguments, whole=True)
            return session.steps and self._told(session, SCRIPT, OWN, main, line)
        finally:
            self.subject.is_function = True

    def _of_script(self) -> list[Array] | None:
        """The numbers on which it steps, in the order of the contract."""
        name, noticed = _forward(self.bench), Noticed()
        heard: dict[str, Any] = {}

        def listen(module: ModuleType) -> None:
            now = vars(module).get(name)
            if callable(now) and now is not heard.get("ours"):
                heard["theirs"], heard["ours"] = now, noticed.listening(now)
                setattr(module, name, heard["ours"])

        self.subject.between = listen
        try:
            self.bench.attempt(lambda: None, Run(), None)
        finally:
            self.subject.between = None
        module = self.driver.module
        if heard:
            setattr(module, name, heard["theirs"])
        return noticed.base if noticed.steps else kept_by(vars(module)) or noticed.base
