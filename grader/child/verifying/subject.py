"""What is run again and again: a submission's `verify`, or its whole script (child's side)."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from grader.child import coerce, standin, tracing
from grader.child.seeding import reseed
from grader.child.verifying import saying
from grader.child.verifying.saying import Said
from grader.child.verifying.spoiling import Array, Run, Spoiler, known

ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")
SAME = 1e-11
"""Two right answers in float64 are closer; what is further apart is made equal first."""


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
        """Whether both are there and are not the same to rounding."""
        a, b = self.hand.get(tensor), self.auto.get(tensor)
        if a is None or b is None:
            return False
        if a.shape != b.shape:
            return True
        return not np.abs(a - b).max(initial=0.0) <= SAME * np.abs(b).max(initial=0.0)


class Subject:
    """What is run: the function `wanted`, or the whole script where there is none.

    With "" a function that is chosen later.
    `given` are the arguments of the last run, as it left them. A script's module is shown to
    `between` after each of its statements.
    """

    def __init__(
        self,
        driver: Any,
        files: dict[str, bytes],
        main: str,
        noise: int,
        *,
        wanted: str = "verify",
        spoiler: Spoiler | None = None,
    ) -> None:
        self.driver, self.files, self.main, self.noise = driver, files, main, noise
        self.spoiler = spoiler or Spoiler()
        self.spoiler.install()
        if (autograd := sys.modules.get("torch.autograd")) is not None:
            autograd.grad = self.spoiler.derive(autograd.grad)  # type: ignore[attr-defined]
        self.tracer = _Once(files, self.spoiler, driver.woven)
        driver.module = self.tracer.load(main)
        self.function: Any = driver._find(wanted) if wanted else None
        self.given: list[Array] = []
        self.looked_at: Any = None
        self.makes_its_own = False
        self.between: Callable[[ModuleType], None] | None = None
        self.is_function = not wanted or callable(self.function)
        self.paths = list(files)
        self.statements = [] if self.is_function else self.parted()

    def attempt(self, run: Run, arguments: list[Array] | None) -> Said:
        """One run, with everything drawn at random drawn as before."""
        reseed(self.noise)
        heard = saying.Heard()
        value: Any = None
        errors: list[tuple[str, BaseException]] = []
        with (
            contextlib.redirect_stdout(heard),
            contextlib.redirect_stderr(heard),
            self.spoiler.during_run(run),
        ):
            if self.is_function:
                try:
                    value = self._verify(arguments)
                except BaseException as error:  # the candidate may raise whatever there is
                    errors.append(("verify", error))
            else:
                errors += self._script()
        return saying.said(value, errors, heard.getvalue(), run.truths)

    def _verify(self, arguments: list[Array] | None) -> Any:
        self.given = [a.copy() for a in arguments or ()]
        if self.looked_at is not self.function:  # once, not in each of dozens of runs
            self.looked_at = self.function
            self.makes_its_own = not takes(self.function, *self.given) and takes(self.function)
        return self.function() if self.makes_its_own else self.function(*self.given)

    def parted(self) -> list[tuple[int, CodeType]]:
        """The main file's statements, each by itself: one that fails does not end the others."""
        body = self.tracer.tree(self.main).body
        future = [s for s in body if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
        found = []
        for statement in body:
            alone = ast.Module([*future, statement], [])
            found.append((statement.lineno, compile(alone, self.main, "exec", dont_inherit=True)))
        return found

    def _script(self) -> list[tuple[str, BaseException]]:
        """Run the whole script once more, as its author starts it; what was raised, by line."""
        for name in self.driver.later_modules():
            if getattr(sys.modules[name], "__file__", None) in self.files:
                del sys.modules[name]
        module = ModuleType("__main__")
        module.__file__ = self.main
        self.driver.module = module
        errors: list[tuple[str, BaseException]] = []
        with _as_main(module), standin.lenience():
            for line, code in self.statements:
                try:
                    exec(code, module.__dict__)
                except BaseException as error:
                    errors.append((str(line), error))
                    if isinstance(error, SystemExit):
                        break
                if self.between is not None:
                    self.between(module)
        return errors

    def sides(self, arguments: list[Array], roles: tuple[str, ...] = ("hand", "auto")) -> Sides:
        """Both sides' answers on `arguments`, as far as there are functions to ask."""
        sides = Sides()
        for role in roles:
            places = sides.hand_places if role == "hand" else sides.auto_places
            run = Run(learning=True)
            floats = [(t, a) for t, a in zip(ARGUMENTS, arguments, strict=True) if t != "y"]
            run.watch([known("input", t, a) for t, a in floats])
            reseed(self.noise)
            heard = saying.Heard()
            try:
                with contextlib.redirect_stdout(heard), self.spoiler.during_run(run):
                    loss, grads = self._ask(role, [a.copy() for a in arguments])
                    found, _ = coerce.gradients(grads)
                    setattr(sides, role, {t: a for t, a in found.items() if a.dtype.kind == "f"})
                    sides.losses.append(float(np.reshape(coerce.as_array(loss, "loss"), -1)[0]))
            except Exception:  # without this side's numbers, then
                sides.losses.append(float("nan"))
            places.update(run.visited)
            if role == "hand":
                sides.reads = {tensor for _, tensor in run.sights}
        return sides

    def _ask(self, role: str, arguments: list[Array]) -> tuple[Any, Any]:
        if role == "auto":
            theirs = self.driver._find("torch_forward_backward")
            return coerce.pair(theirs(*arguments), "loss, grads")
        loss, cache = coerce.pair(self.driver._find("forward")(*arguments), "loss, cache")
        return loss, self.driver._find("backward")(cache)

    def place(self, number: int) -> tuple[str, int]:
        """File and line of a reporting place."""
        file, entry = self.spoiler.table[number]
        return self.paths[file], entry.line

    def text(self, number: int) -> str:
        """The source of a reporting place, as far as it stands on one line."""
        path, line = self.place(number)
        lines = self.files[path].splitlines()
        entry = self.spoiler.table[number][1]
        whole = lines[line - 1] if line <= len(lines) else b""
        return whole[entry.col : entry.end_col].decode("utf-8", "replace")


@contextlib.contextmanager
def _as_main(module: ModuleType) -> Iterator[None]:
    """`unittest.main()` and the like look for the module that was started."""
    before, arguments = sys.modules["__main__"], sys.argv
    sys.modules["__main__"], sys.argv = module, [str(module.__file__)]
    try:
        yield
    finally:
        sys.modules["__main__"], sys.argv = before, arguments


class _Once(tracing.Tracer):
    """Instruments each file once, so that places keep their numbers from run to run."""

    def __init__(self, files: dict[str, bytes], recorder: Spoiler, woven: tracing.Woven) -> None:
        super().__init__(files, recorder, woven)
        self.done: dict[str, CodeType] = {}

    def code(self, path: str) -> CodeType:
        if path not in self.done:
            self.done[path] = super().code(path)
        return self.done[path]


def takes(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether it can be called with these, as far as its signature tells."""
    try:
        inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return False
    return True
