"""Tries the ways of calling, one after another, until one fits; and says so when two do.

A way fits when it runs on the small case and gradients of the right sizes arrive. Between
layouts the contract's comes first; a loss that changes when the classes are renamed was
given its labels in the wrong form, and gradients must lie as their tensors do.
"""

from __future__ import annotations

import ast
import traceback
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from grader.child.binding import names
from grader.child.binding.environment import Unbindable
from grader.child.binding.language.adapter import Adapter, Inputs
from grader.child.binding.language.layout import Layout, layouts
from grader.child.binding.names import TENSORS, WEIGHTS
from grader.child.binding.trial import MAX_TRIALS, RAISED, renamed, small_case
from grader.child.binding.writer import Draft, Misfit, brief, write
from grader.child.fields import TEXT_CHARS
from grader.child.reports import AttemptReport
from grader.source.trees import walk

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TrialNumbers:
    """What an adapter gives on the small case: `numbers`, and whether they can be right.

    `steady`: renaming the classes leaves the loss as it is. `alike`: each gradient has the
    shape of its tensor.
    """

    numbers: Mapping[str, Array]
    steady: bool
    alike: bool

    @property
    def complete(self) -> bool:
        """Tell whether the gradients of all weights are there."""
        return set(WEIGHTS) <= set(self.numbers)


def answer_of(adapter: Adapter, case: Inputs) -> TrialNumbers:
    """Return what an adapter gives on `case`. Raises what the submission raises."""
    numbers, other = _numbers(adapter, case), _numbers(adapter, renamed(case))
    name = "loss" if "loss" in numbers else "W1"
    steady = name in numbers and name in other and same(
        {name: numbers[name]}, {name: other[name]}
    )  # fmt: skip
    alike = all(numbers[t].shape == case[t].shape for t in TENSORS if t in numbers)
    return TrialNumbers(numbers, steady, alike)


def _numbers(adapter: Adapter, case: Inputs) -> dict[str, Array]:
    """Loss and gradients on `case`."""
    loss, kept = adapter.forward({n: a.copy() for n, a in case.items()})
    found = {t: g for t, g in adapter.gradients_of(kept).items() if g is not None}
    if adapter.loss:
        found["loss"] = np.asarray(loss.detach().cpu() if hasattr(loss, "detach") else loss)
    return found


def same(one: Mapping[str, Array], other: Mapping[str, Array], *, within: float = 1e-5) -> bool:
    """Tell whether two answers agree in what both have; one may be of finite differences."""
    for name in set(one) & set(other):
        a, b = np.squeeze(one[name]), np.squeeze(other[name])
        if a.shape != b.shape:
            return False
        scale = max(float(np.abs(a).max(initial=0.0)), 1e-300)
        if not float(np.abs(a - b).max(initial=0.0)) <= within * scale:
            return False
    return True


@dataclass(frozen=True)
class Fit:
    """A draft with its adapter, and what it answers on the small case."""

    draft: Draft
    adapter: Adapter
    answer: TrialNumbers

    @property
    def quality(self) -> tuple[bool, ...]:
        """Return how good it is, the weightiest first."""
        answer = self.answer
        if self.draft.torch:
            return (answer.steady, answer.alike, answer.complete, "X" in answer.numbers)
        return (answer.steady, "loss" in answer.numbers, answer.complete, answer.alike)


@dataclass(frozen=True)
class Side:
    """What differs between the two parts of an answer.

    `hopeless` is what a call raises that no other shape of its arguments would repair.
    `rivals` is the number of trials for other code that is an answer as well; `is_one` says
    whether two drafts are the same answer.
    """

    hopeless: tuple[type[Exception], ...]
    rivals: int
    is_one: Callable[[Draft, Draft], bool]


@dataclass
class AdapterSearch:
    """The best way so far, others that answer otherwise, and why the likeliest failed."""

    module: ModuleType
    side: Side
    case: Mapping[str, Array] = field(default_factory=small_case)
    trials: int = MAX_TRIALS
    best: Fit | None = None
    others: list[Fit] = field(default_factory=list)
    rivals: list[Fit] = field(default_factory=list)
    half: tuple[Draft, Adapter] | None = None
    """The first way whose forward ran and whose backward did not."""
    half_lacks: bool = False
    """Whether that was because there is nothing to give for one of its parameters."""
    why: str = ""
    furthest: tuple[Draft, Misfit] | None = None
    """The way that made the most calls before it failed."""

    def look(self, drafts: Iterable[Draft], *, for_rivals: bool) -> None:
        """Try each until one is right in every respect; then, if asked, those unlike it."""
        for draft in drafts:
            found = self.best is not None and all(self.best.quality)
            if found and not for_rivals:
                return
            known = (self.best, *self.others)
            if found and any(self.side.is_one(draft, fit.draft) for fit in known if fit):
                continue
            fit = self._fit(draft)
            if fit is not None:
                self._add(fit)
            elif self.trials < 0:
                return

    @property
    def alike(self) -> list[Fit]:
        """Other code that is no worse, and gives the same numbers."""
        best = self.best
        return [f for f in self.others if best and f.quality == best.quality and f is not best]

    def _add(self, fit: Fit) -> None:
        if self.best is None or fit.quality > self.best.quality:
            self.others += [self.best] if self.best is not None else []
            self.best = fit
            if all(fit.quality):
                self.trials = min(self.trials, self.side.rivals)
            self.rivals = [r for r in self.rivals if r.quality == fit.quality]
        elif fit.quality == self.best.quality and not self.side.is_one(fit.draft, self.best.draft):
            agrees = same(self.best.answer.numbers, fit.answer.numbers)
            (self.others if agrees else self.rivals).append(fit)
        elif not fit.draft.torch:
            self.others.append(fit)

    def attempt(self, files: Container[str], *, ended: bool = False) -> AttemptReport:
        """Return the way that made the most calls, and where in `files` it ended."""
        part, tried = "torch" if self.side is TORCH else "numpy", MAX_TRIALS - max(0, self.trials)
        if self.furthest is None:
            return AttemptReport(part, tried=tried, ended=ended)
        draft, misfit = self.furthest
        cause = misfit.__cause__
        frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
        own = [f for f in frames if f.filename in files and f.lineno]
        file, line = (own[-1].filename, own[-1].lineno or 0) if own else ("", 0)
        error = " ".join(str(misfit).split())[:TEXT_CHARS]
        return AttemptReport(part, draft.sentence[:TEXT_CHARS], error, file, line, tried, ended)

    # ── one draft in all layouts ─────────────────────────────────────────────

    def _fit(self, draft: Draft) -> Fit | None:
        best: Fit | None = None
        dead: set[tuple[Any, ...]] = set()
        for layout in _layouts(draft):
            base = (layout.columns, layout.transposed, layout.bias)
            if base in dead:
                continue
            self.trials -= 1
            if self.trials < 0:
                break
            try:
                fit = self._trial(replace(draft, layout=layout))
            except Misfit as error:
                if self._is_hopeless(draft, error):
                    break
                if error.stage == 0 and "y" not in draft.stages[0].roles:
                    dead.add(base)
                continue
            if best is None or fit.quality > best.quality:
                best = fit
            if fit.answer.steady and fit.answer.alike:
                break
        return best

    def _trial(self, draft: Draft) -> Fit:
        adapter = write(draft, self.module, self.case)
        last = len(draft.stages) - 1
        try:
            answer = answer_of(adapter, self.case)
        except RAISED as error:
            raise Misfit(last, f"a second call raised {error}") from error
        if draft.torch and len(set(WEIGHTS) & set(answer.numbers)) < 2:
            raise Misfit(last, "no gradients were found")
        return Fit(draft, adapter, answer)

    def _is_hopeless(self, draft: Draft, error: Misfit) -> bool:
        """Keep why a trial failed, and the half that it gave; whether no layout would do."""
        cause = error.__cause__
        self.why = self.why or (brief(cause) if draft.torch and cause else str(error))
        if self.furthest is None or error.stage > self.furthest[1].stage:
            self.furthest = draft, error
        if self.half is None and error.half is not None:
            self.half, self.half_lacks = (draft, error.half), isinstance(cause, Unbindable)
        return error.stage < 0 or isinstance(cause, self.side.hopeless)


def _layouts(draft: Draft) -> Iterator[Layout]:
    """Yield the layouts that the draft's weights leave open."""
    hot = any(names.says_one_hot(n) for stage in draft.stages for n in stage.names)
    lies = (draft.layout.transposed, draft.layout.bias)
    for layout in layouts(hot):
        if not draft.fixed or (layout.transposed, layout.bias) == lies:
            yield layout


# ── whether two ways are one answer ──────────────────────────────────────────


def _shares_code(one: Draft, other: Draft) -> bool:
    """Tell whether two ways share a class, or a function: then they are one answer."""
    if one.kind is not None or other.kind is not None:
        return one.kind is other.kind
    return bool({s.name for s in one.stages} & {s.name for s in other.stages})


def _is_part(one: Draft, other: Draft) -> bool:
    """Tell whether one way is part of the other, or less the candidate's own.

    What the candidate wrote whole goes before what has to be put together here: a module whose
    loss is only named in the text is no rival of a function that gives loss and gradients.
    """
    mine, its = _names(one), _names(other)
    shared = mine & (its | _words(other)) or its & _words(one)
    return bool(shared) or _borrows(one) > _borrows(other)


def _names(draft: Draft) -> set[str]:
    """Return what a way is known by: its class, else its functions."""
    if draft.kind is not None:
        return {draft.kind.name}
    return {stage.name for stage in draft.stages if stage.node is not None}


def _words(draft: Draft) -> set[str]:
    """Return the names that its text uses."""
    nodes = [stage.node for stage in draft.stages] + [draft.kind.node if draft.kind else None]
    return {word for node in nodes if node is not None for word in _words_of(node)}


@lru_cache(maxsize=64)
def _words_of(node: ast.AST) -> frozenset[str]:
    return frozenset(n.id for n in walk(node) if isinstance(n, ast.Name))


def _borrows(draft: Draft) -> bool:
    """Tell whether a call is none of the candidate's functions: a loss that was put to it."""
    return any(stage.node is None for stage in draft.stages)


HOPELESS = (AttributeError, NameError, KeyError, Unbindable)
NUMPY = Side(HOPELESS, 24, _shares_code)
TORCH = Side((*HOPELESS, TypeError), 16, _is_part)
