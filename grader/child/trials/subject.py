"""What is run again and again: a submission's check, or its whole script (child's side)."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child import coerce, standin, tracing
from grader.child.binding.canonical import ARGUMENTS
from grader.child.reports import Place
from grader.child.seeding import reseed
from grader.child.trials.response import Capture, Response, response
from grader.child.trials.spoiler import Array, Run, Spoiler

if TYPE_CHECKING:
    from grader.child.driver import Driver

SAME = 1e-11
"""Two right answers in float64 are closer; what is further apart is made equal first."""

Check = Callable[..., Any]
"""What is called with the six arrays, and says something."""


@dataclass
class Sides:
    """The candidate's own gradients and losses, asked for directly, and where they arise.

    `reads` are the inputs that the hand-written side looks at.
    """

    hand: dict[str, Array] = field(default_factory=dict)
    auto: dict[str, Array] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    hand_places: set[int] = field(default_factory=set)
    auto_places: set[int] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)

    def differ(self, tensor: str) -> bool:
        """Return whether both are there and are not the same to rounding."""
        a, b = self.hand.get(tensor), self.auto.get(tensor)
        if a is None or b is None:
            return False
        if a.shape != b.shape:
            return True
        return not np.abs(a - b).max(initial=0.0) <= SAME * np.abs(b).max(initial=0.0)


class Subject:
    """A submission, instrumented, whose checks or whose script are run.

    `arguments` are those of the last run, as it left them. A script's module is shown to
    `between` after each of its statements.
    """

    def __init__(self, driver: Driver, files: dict[str, bytes], main: str) -> None:
        self.driver, self.files, self.main = driver, files, main
        self.spoiler = Spoiler()
        self.spoiler.install()
        if (autograd := sys.modules.get("torch.autograd")) is not None:
            autograd.grad = self.spoiler.derive(autograd.grad)  # type: ignore[attr-defined]
        self.tracer = _OnceTracer(files, self.spoiler, driver.woven)
        driver.module = self.tracer.load(main)
        self.arguments: list[Array] = []
        self.slowest = 0.0
        self.between: Callable[[ModuleType], None] | None = None
        self.paths = list(files)

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Note in `slowest` how many seconds this took, if nothing took longer."""
        started = time.monotonic()
        yield
        self.slowest = max(self.slowest, time.monotonic() - started)

    def attempt(self, check: Check | None, run: Run, arguments: list[Array] | None) -> Response:
        """Run a check on copies, or the script (None), with the same random draws as before."""
        reseed(self.driver.noise)
        output = Capture()
        value: Any = None
        errors: list[tuple[int, BaseException]] = []
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            self.spoiler.during_run(run),
            self.timed(),
        ):
            if check is None:
                errors += self._script()
            else:
                self.arguments = [a.copy() for a in arguments or ()]
                try:
                    value = check(*self.arguments)
                except BaseException as error:  # the candidate may raise whatever there is
                    errors.append((0, error))
        return response(value, errors, output.getvalue(), run.truths)

    @cached_property
    def statements(self) -> list[tuple[int, CodeType]]:
        """Return the main file's statements, each by itself: one may fail without the others."""
        body = self.tracer.tree(self.main).body
        future = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        return [
            (s.lineno, compile(ast.Module([*future, s], []), self.main, "exec", dont_inherit=True))
            for s in body
        ]

    def _script(self) -> list[tuple[int, BaseException]]:
        """Run the whole script once more, as its author starts it; return what raised, by line."""
        for name in self.driver.later_modules():
            if getattr(sys.modules[name], "__file__", None) in self.files:
                del sys.modules[name]
        module = ModuleType("__main__")
        module.__file__ = self.main
        self.driver.module = module
        errors: list[tuple[int, BaseException]] = []
        with _as_main(module), standin.lenience():
            for line, code in self.statements:
                try:
                    exec(code, module.__dict__)
                except BaseException as error:
                    errors.append((line, error))
                    if isinstance(error, SystemExit):
                        break
                if self.between is not None:
                    self.between(module)
        return errors

    def sides(self, arguments: list[Array], roles: tuple[str, ...] = ("hand", "auto")) -> Sides:
        """Return both sides' answers on `arguments`, as far as there are functions to ask."""
        sides = Sides()
        for role in roles:
            places = sides.hand_places if role == "hand" else sides.auto_places
            run = Run(learning=True)
            run.watch("input", dict(zip(ARGUMENTS, arguments, strict=True)))
            reseed(self.driver.noise)
            try:
                with contextlib.redirect_stdout(Capture()), self.spoiler.during_run(run):
                    loss, returned = self._ask(role, [a.copy() for a in arguments])
                    grads, _ = coerce.gradients(returned)
                    setattr(sides, role, {t: a for t, a in grads.items() if a.dtype.kind == "f"})
                    sides.losses.append(float(np.reshape(coerce.as_array(loss, "loss"), -1)[0]))
            except Exception:  # without this side's numbers, then
                sides.losses.append(float("nan"))
            places.update(run.visited)
            if role == "hand":
                sides.reads = {tensor for _, tensor in run.sights}
        return sides

    def _ask(self, role: str, arguments: list[Array]) -> tuple[Any, Any]:
        if role == "auto":
            theirs = self.driver.function("torch_forward_backward")
            return coerce.pair(theirs(*arguments), "loss, grads")
        loss, cache = coerce.pair(self.driver.function("forward")(*arguments), "loss, cache")
        return loss, self.driver.function("backward")(cache)

    def place(self, number: int) -> Place:
        """Return file and line of a reporting place."""
        file, entry = self.spoiler.table[number]
        return self.paths[file], entry.line

    def text(self, number: int) -> str:
        """Return the source of a reporting place, as far as it stands on one line."""
        path, line = self.place(number)
        lines = self.files[path].splitlines()
        entry = self.spoiler.table[number][1]
        text = lines[line - 1] if line <= len(lines) else b""
        return text[entry.col : entry.end_col].decode("utf-8", "replace")


@contextlib.contextmanager
def _as_main(module: ModuleType) -> Iterator[None]:
    """Let `unittest.main()` and the like find the module that was started."""
    before, arguments = sys.modules["__main__"], sys.argv
    sys.modules["__main__"], sys.argv = module, [str(module.__file__)]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = before, arguments


class _OnceTracer(tracing.Tracer):
    """Instruments each file once, so that places keep their numbers from run to run."""

    def __init__(self, files: dict[str, bytes], recorder: Spoiler, woven: tracing.Woven) -> None:
        super().__init__(files, recorder, woven)
        self.done: dict[str, CodeType] = {}

    def code(self, path: str) -> CodeType:
        if path not in self.done:
            self.done[path] = super().code(path)
        return self.done[path]


def takes(function: Check, *arguments: Any) -> bool:
    """Return whether it can be called with these, as far as its signature tells."""
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return False
    return True
