"""Tries the ways of calling a PyTorch part; says so when two of them give different numbers.

What the candidate wrote whole goes before what has to be put together here: a module whose
loss is only named in the text is no rival of a function that gives loss and gradients.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.child.binding import absence, names, places, returns
from grader.child.binding.classes import ClassOwner
from grader.child.binding.environment import Unbindable
from grader.child.binding.flow import Misfit, said, same
from grader.child.binding.layout import Layout, layouts
from grader.child.binding.names import TENSORS, WEIGHTS
from grader.child.binding.returns import Spot
from grader.child.binding.source import Source
from grader.child.binding.tensors import TorchFlow, as_array_or_none
from grader.child.binding.trial import RAISED, Budget, renamed, small_case
from grader.source.trees import walk

Array = np.ndarray[Any, Any]
NOT_THE_LAYOUT = (AttributeError, NameError, KeyError, TypeError, Unbindable)
"""What a call raises that no other shape of its arguments would mend."""

RIVALS = 16
"""Trials for looking whether other code is a PyTorch part as well."""

ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")


@dataclass(frozen=True)
class Bound:
    """The PyTorch part as the contract calls it, and words about it; `call` None for none."""

    call: Callable[..., Any] | None = None
    sentence: str = ""
    deviations: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)
    fits: bool = False


@dataclass(frozen=True)
class Fit:
    """A way that runs, what it answers on the small case, and how good it is."""

    flow: TorchFlow
    answer: dict[str, Array]
    quality: tuple[bool, ...]


@dataclass
class TorchSearch:
    """The best way so far, and others that are no worse."""

    case: Mapping[str, Array] = field(default_factory=small_case)
    budget: Budget = field(default_factory=Budget)
    best: Fit | None = None
    alike: list[Fit] = field(default_factory=list)
    rivals: list[Fit] = field(default_factory=list)
    seen: dict[str, bool] = field(default_factory=dict)
    why: str = ""

    def look(self, ways: Iterator[TorchFlow], *, for_rivals: bool) -> None:
        """Try each until one is right in every respect; then, if asked, those unlike it."""
        for way in ways:
            found = self.best is not None and all(self.best.quality)
            if (found and not for_rivals) or places.torch_here() is None:
                return
            if found and self.best is not None and self._is_known(way, self.best.flow):
                continue
            if (fit := self._fit(way)) is not None:
                self._add(fit)

    def _is_known(self, way: TorchFlow, best: TorchFlow) -> bool:
        """Whether nothing new can come of a way: it is no rival, or its like was tried."""
        name = " ".join(sorted(_names(way)))
        if name not in self.seen:
            self.seen[name] = _is_no_rival(way, best)
        return self.seen[name]

    def bound(self, source: Source) -> Bound:
        """The PyTorch part that was found; without one, what is there instead."""
        if self.best is None:
            near = absence.of_the_pytorch(source, self.why)
            return Bound(absent={"torch_forward_backward": near} if near else {})
        flow, quality = self.best.flow, self.best.quality
        if self.rivals:
            return _ambiguous([flow, *(r.flow for r in self.rivals)])

        def call(*arguments: Any) -> Any:
            return flow.run(dict(zip(ARGUMENTS, arguments, strict=True)))

        others = tuple(dict.fromkeys(a.flow.sentence for a in self.alike))
        return Bound(call, flow.sentence, flow.deviations, others, fits=all(quality[:3]))

    def _add(self, fit: Fit) -> None:
        if self.best is None or fit.quality > self.best.quality:
            self.best, self.alike, self.rivals = fit, [], []
            if all(fit.quality):
                self.budget.trials = min(self.budget.trials, RIVALS)
        elif fit.quality == self.best.quality and not _is_no_rival(fit.flow, self.best.flow):
            agrees = same(self.best.answer, fit.answer)
            (self.alike if agrees else self.rivals).append(fit)

    def _fit(self, way: TorchFlow) -> Fit | None:
        """The way in the layout that suits it best."""
        best: Fit | None = None
        for layout in _layouts(way):
            if not self.budget.spend():
                break
            try:
                fit = _tried(replace(way, layout=layout), self.case)
            except NOT_THE_LAYOUT as error:
                self.why = self.why or said(error)
                break
            except RAISED as error:
                self.why = self.why or said(error)
                continue
            if best is None or fit.quality > best.quality:
                best = fit
            if all(fit.quality[:2]):
                break
        return best


def _ambiguous(flows: list[TorchFlow]) -> Bound:
    listed = " | ".join(list(dict.fromkeys(f.sentence for f in flows))[:4])
    why = (
        f"several answers were found, and they give different numbers: {listed}. "
        "Say in submission.yaml under `names` which one is meant"
    )
    return Bound(sentence=f"ambiguous: {listed}", absent={"torch_forward_backward": why})


def _is_no_rival(way: TorchFlow, best: TorchFlow) -> bool:
    """Whether a way is part of the best one, the best one of it, or less the candidate's own."""
    mine, its = _names(way), _names(best)
    shared = mine & (its | _words(best)) or its & _words(way)
    return bool(shared) or _borrows(way) > _borrows(best)


def _names(flow: TorchFlow) -> set[str]:
    """What a way is known by: its class, else its functions."""
    if isinstance(flow.owner, ClassOwner):
        return {flow.owner.kind.name}
    return {stage.name for stage in flow.stages if stage.node is not None}


def _words(flow: TorchFlow) -> set[str]:
    """The names that its text uses."""
    nodes: list[ast.AST] = [s.node for s in flow.stages if s.node is not None]
    if isinstance(flow.owner, ClassOwner) and flow.owner.kind.node is not None:
        nodes.append(flow.owner.kind.node)
    return {n.id for node in nodes for n in walk(node) if isinstance(n, ast.Name)}


def _borrows(flow: TorchFlow) -> bool:
    """Whether a call is none of the candidate's functions: a loss that was put to it."""
    return any(stage.node is None for stage in flow.stages)


def _tried(candidate: TorchFlow, case: Mapping[str, Array]) -> Fit:
    given = {n: a.copy() for n, a in case.items()}
    results, _, subject = candidate.called(given)
    loss: tuple[int, Spot] | None = None
    listed: list[returns.Found] = []
    for number, (stage, result) in enumerate(zip(candidate.stages, results, strict=True)):
        state = subject if number == len(results) - 1 else None
        listed = returns.listed(result, stage.returns, state)
        if loss is None and (spot := returns.loss_in(listed, case["X"].shape[0])) is not None:
            loss = number, spot
    if loss is None:
        raise Misfit(len(results), "no loss was found")
    encoded = candidate.layout.encode(case)
    spots = returns.gradients_in(listed, {t: encoded[t].shape for t in TENSORS}, encoded)
    spots = {t: s for t, s in spots.items() if s.root == "result" or t not in candidate.at}
    flow = replace(candidate, loss=loss, gradients=spots)
    value, found = flow.run({n: a.copy() for n, a in case.items()})
    again, _ = flow.run(renamed(case))
    answer = {t: g for t, g in found.items() if g is not None}
    if len(set(WEIGHTS) & set(answer)) < 2:
        raise Misfit(len(results), "no gradients were found")
    steady = same({"loss": _plain(value)}, {"loss": _plain(again)}, within=1e-5)
    alike = all(answer[t].shape == case[t].shape for t in answer)
    quality = (steady, alike, set(WEIGHTS) <= set(answer), "X" in answer)
    return Fit(flow, answer | {"loss": _plain(value)}, quality)


def _plain(value: Any) -> Array:
    array = as_array_or_none(value)
    return np.zeros(0) if array is None else array


def _layouts(candidate: TorchFlow) -> Iterator[Layout]:
    hot = any(names.says_one_hot(n) for s in candidate.stages for n in s.names)
    for layout in layouts(hot):
        fixed = candidate.layout
        if not candidate.at or (layout.transposed, layout.bias) == (fixed.transposed, fixed.bias):
            yield layout
