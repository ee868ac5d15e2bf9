"""Tries the ways of calling, one after another, until one fits; and says so when two do.

A way fits when it runs on the small case and gradients of the right sizes arrive. Between
layouts the contract's comes first; a loss that changes when the classes are renamed was
given its labels in the wrong form, and gradients must lie as their tensors do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.child.binding import flow as flows
from grader.child.binding import functions, names, places
from grader.child.binding.classes import ClassOwner
from grader.child.binding.environment import Unbindable
from grader.child.binding.flow import Flow, Misfit
from grader.child.binding.layout import Layout, layouts
from grader.child.binding.trial import RAISED, Budget, renamed

Array = np.ndarray[Any, Any]

NOT_THE_LAYOUT = (AttributeError, NameError, KeyError, Unbindable)
"""What a call raises that no other shape of its arguments would mend."""

RIVALS = 24
"""Trials for looking whether another class, or other functions, are an answer as well."""


@dataclass(frozen=True)
class Fit:
    """A flow that runs, what it answers on the small case, and how good it is."""

    flow: Flow
    answer: Mapping[str, Array]
    steady: bool
    """Whether renaming the classes leaves the loss as it is."""
    alike: bool
    """Whether each gradient has the shape of its tensor."""

    @property
    def quality(self) -> tuple[bool, ...]:
        weights = [t for t in names.WEIGHTS if t in self.answer]
        return (self.steady, "loss" in self.answer, len(weights) == 4, self.alike)


@dataclass
class Search:
    """The best way so far, others that answer otherwise, and why the likeliest failed."""

    case: Mapping[str, Array]
    budget: Budget = field(default_factory=Budget)
    best: Fit | None = None
    others: list[Fit] = field(default_factory=list)
    rivals: list[Fit] = field(default_factory=list)
    half: Flow | None = None
    """The first way whose forward ran and whose backward did not."""
    half_lacks: bool = False
    """Whether that was because there is nothing to give for one of its parameters."""
    why: str = ""

    def look(self, candidates: Iterable[Flow], *, for_rivals: bool) -> None:
        """Try each until one is right in every respect; then, if asked, those unlike it."""
        for candidate in candidates:
            found = self.best is not None and all(self.best.quality)
            if found and not for_rivals:
                return
            if found and any(_related(candidate, f.flow) for f in (self.best, *self.others) if f):
                continue
            fit = self._fit(candidate)
            if fit is not None:
                self._add(fit)
            elif self.budget.trials <= 0:
                return

    @property
    def alike(self) -> list[Fit]:
        """Other code that is no worse, and gives the same numbers."""
        best = self.best
        return [f for f in self.others if best and f.quality == best.quality and f is not best]

    def _add(self, fit: Fit) -> None:
        if self.best is None or fit.quality > self.best.quality:
            if self.best is not None:
                self.others.append(self.best)
            self.best = fit
            if all(fit.quality):
                self.budget.trials = min(self.budget.trials, RIVALS)
            self.rivals = [r for r in self.rivals if r.quality == fit.quality]
        elif fit.quality == self.best.quality and not _related(fit.flow, self.best.flow):
            if flows.same(self.best.answer, fit.answer):
                self.others.append(fit)
            else:
                self.rivals.append(fit)
        else:
            self.others.append(fit)

    # ── one candidate in all layouts ─────────────────────────────────────────

    def _fit(self, candidate: Flow) -> Fit | None:
        best: Fit | None = None
        dead: set[tuple[Any, ...]] = set()
        for layout in self._layouts(candidate):
            base = (layout.columns, layout.transposed, layout.bias)
            if base in dead:
                continue
            if not self.budget.spend():
                break
            try:
                fit = self._trial(replace(candidate, layout=layout))
            except Misfit as error:
                self.why = self.why or str(error)
                if self.half is None and error.half is not None:
                    self.half, self.half_lacks = error.half, isinstance(error.__cause__, Unbindable)
                stage = candidate.stages[error.stage] if error.stage >= 0 else None
                takes_y = stage is None or "y" in names.data_roles(stage.names).values()
                if not takes_y and error.stage == 0:
                    dead.add(base)
                if error.stage < 0 or isinstance(error.__cause__, NOT_THE_LAYOUT):
                    break
                continue
            if best is None or fit.quality > best.quality:
                best = fit
            if fit.steady and fit.alike:
                break
        return best

    def _trial(self, candidate: Flow) -> Fit:
        fitted = flows.fit(candidate, self.case)
        try:
            answer = flows.numbers(fitted, self.case)
            other = flows.numbers(fitted, renamed(self.case))
        except RAISED as error:
            raise Misfit(len(candidate.stages) - 1, f"a second call raised {error}") from error
        steady = _is_steady(answer, other)
        return Fit(fitted, answer, steady, flows.consistent(answer, self.case))

    def _layouts(self, candidate: Flow) -> Iterator[Layout]:
        hot = any(names.says_one_hot(n) for s in candidate.stages for n in s.names)
        fixed = _weights_layout(candidate)
        for layout in layouts(hot):
            if fixed is None or (layout.transposed, layout.bias) == (fixed.transposed, fixed.bias):
                yield layout


def _weights_layout(candidate: Flow) -> Layout | None:
    """How the weights lie where the candidate has made some: in an object, or by an `init`."""
    if isinstance(candidate.owner, ClassOwner) and candidate.owner.at:
        return candidate.layout
    if candidate.container is not None:
        template, at = candidate.container.template, candidate.container.at
        made = {n: places.get(template, p) for n, p in at.items()}
        if all(places.is_array(value) for value in made.values()):
            return functions.layout_of({n: places.shape(v) for n, v in made.items()})
    return None


def _is_steady(answer: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    """The loss, or dW1 where there is none, is the same under other class numbers."""
    name = "loss" if "loss" in answer else "W1"
    return name in answer and name in other and flows.same(
        {name: answer[name]}, {name: other[name]}, within=1e-9
    )  # fmt: skip


def _related(one: Flow, other: Flow) -> bool:
    """Whether two ways share a class, or a function: then they are one answer."""
    a, b = one.owner, other.owner
    if isinstance(a, ClassOwner) and isinstance(b, ClassOwner):
        return a.kind is b.kind
    if isinstance(a, ClassOwner) != isinstance(b, ClassOwner):
        return False
    return bool({s.name for s in one.stages} & {s.name for s in other.stages})
