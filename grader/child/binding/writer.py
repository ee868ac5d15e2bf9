"""Writes the adapter of one way to call an answer, line by line, as it runs on a small case.

A style proposes a `Draft`: which functions, in which order, on which object. What each
parameter is given (`environment`), and where loss and gradients arrive (`returns`, `steps`),
is found out by making the calls once.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np

from grader.child.binding import returns, steps
from grader.child.binding.environment import CONTAINER, Environment, Output, Unbindable
from grader.child.binding.language import places
from grader.child.binding.language.adapter import Adapter, Inputs
from grader.child.binding.language.containers import WeightForm
from grader.child.binding.language.layout import CONTRACT, Layout
from grader.child.binding.names import TENSORS, WEIGHTS
from grader.child.binding.returns import Location
from grader.child.binding.source import OBJECT, Callee, Class, mentioned
from grader.child.binding.trial import RAISED

MODEL = ("model", "net", "network", "mlp")
"""What a loss that is handed the model calls it."""


@dataclass(frozen=True)
class Draft:
    """One way to call an answer, as a style proposes it: all but the arguments.

    `stages` in their order; the forward makes the first `cut` calls, the backward the rest.
    `make` ends with the object of `kind`, if there is one; `put` are lines that follow once
    the weights are in place. `fixed`: the layout of the weights is the draft's `layout`.
    """

    stages: tuple[Callee, ...]
    cut: int
    title: str = "functions"
    kind: Class | None = None
    make: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    put: tuple[str, ...] = ()
    layout: Layout = CONTRACT
    fixed: bool = False
    container: WeightForm | None = None
    torch: bool = False
    tensors: bool = False
    remarks: tuple[str, ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    attributes: frozenset[str] | None = frozenset()
    """Those that a cache has besides the ones that the backward calls mention; None for all."""

    @property
    def sentence(self) -> str:
        """`class TwoLayerNet: forward(X), then backward(y)`."""
        calls = ", then ".join(stage.heading for stage in self.stages)
        return f"{'PyTorch, ' if self.torch else ''}{self.title}: {calls}"

    def adapter(self, module: ModuleType) -> Adapter:
        """Return the adapter up to the first call."""
        make, weights = self.make, dict(self.weights)
        if self.container is not None:
            make = (f"{CONTAINER} = {self.container.text}", *make)
            weights |= self.container.weights
        return Adapter(
            module, self.layout, make, weights, self.put, tensors=self.tensors, names=self.names
        )

    def deviations(self, adapter: Adapter) -> tuple[str, ...]:
        """Return what differs from the contract."""
        said = [*self.layout.words, *self.remarks]
        if self.torch:
            return tuple(f"PyTorch part: {words}" for words in said)
        if adapter.one_call:
            said.append("one call gives the loss and the gradients")
        if not adapter.loss:
            said.append("no function gives the loss")
        if adapter.fresh and not adapter.stepped:
            said.append("backward steps the weights; each is given fresh ones")
        if adapter.stepped:
            said.append("gradients are read off the step that the weights take")
        known = {*adapter.gradients, *adapter.stepped}
        said += [f"the gradient of {t} is not returned" for t in TENSORS if t not in known]
        return tuple(said)


class Misfit(Exception):
    """A trial that did not give what is asked; `stage` is the number of the call that failed.

    `half` is the adapter as far as it went, where the forward gave its loss.
    """

    def __init__(self, stage: int, why: str, half: Adapter | None = None) -> None:
        super().__init__(why)
        self.stage, self.half = stage, half


def brief(error: BaseException) -> str:
    """Return an exception in one short line."""
    if isinstance(error, Unbindable):
        return str(error)
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:200]


def write(draft: Draft, module: ModuleType, case: Inputs) -> Adapter:
    """Return the adapter of a draft. Raises `Misfit`."""
    writer = Writer(draft, draft.adapter(module), case)
    writer.begin()
    for number in range(len(draft.stages)):
        writer.call(number)
    return writer.end_torch() if draft.torch else writer.end_numpy()


class Writer:
    """One trial: the names so far, the lines so far, and what the calls gave."""

    def __init__(self, draft: Draft, adapter: Adapter, case: Inputs) -> None:
        self.draft, self.adapter, self.case = draft, adapter, case
        self.given = {name: array.copy() for name, array in case.items()}
        self.encoded = draft.layout.encode(case)
        self.lines: list[str] = []
        self.loss = ""
        self.keys: dict[str, Any] = {}
        self.listed: list[returns.Arrival] = []
        self.result = Output("", None)

    def begin(self) -> None:
        """Make the object, and put the weights where they are kept."""
        try:
            self.space = self.adapter.begin(self.given)
        except RAISED as error:
            raise Misfit(-1, f"{self.draft.title}: {brief(error)}") from error
        self.held = {n: places.copied(w) for n, w in self._weights().items()}
        self.environment = Environment(self.space, self.draft.container is not None)
        if self.draft.torch and self.draft.kind is not None:
            self.environment.made |= dict.fromkeys(MODEL, OBJECT)

    def _weights(self) -> dict[str, Any]:
        """Return the weights where they are kept now."""
        return {
            name: self.adapter.value(text, self.space)
            for name, text in self.draft.weights.items() if name in WEIGHTS
        }  # fmt: skip

    @property
    def written(self) -> Adapter:
        """Return the adapter with all lines so far."""
        cut = min(self.draft.cut, len(self.lines))
        attributes = self.draft.attributes
        if attributes is not None:
            attributes |= mentioned(self.draft.stages[self.draft.cut :])
        return replace(
            self.adapter,
            forward_lines=(*self.draft.put, *self.lines[:cut]),
            backward_lines=tuple(self.lines[cut:]),
            loss=self.loss,
            names={**self.draft.names, **self.keys},
            attributes=attributes,
        )

    def call(self, number: int) -> None:
        """Make one call, and look at what it gives. Raises `Misfit`."""
        stage = self.draft.stages[number]
        try:
            line = self.environment.line(stage)
            name = self._name(stage)
            self.lines.append(f"{name} = {line}")
            self.adapter.run((*(self.draft.put if number == 0 else ()), self.lines[-1]), self.space)
        except RAISED as error:
            half = self.written if self.loss and number >= self.draft.cut else None
            raise Misfit(number, f"{stage.name}: {brief(error)}", half) from error
        value = self.space[name]
        self.result = Output(name, value, self._unpacked(stage, value))
        if self.result.parts:
            self.lines[-1] = f"{', '.join(self.result.parts)} = {line}"
        self.environment.keep(stage, self.result)
        last = number == len(self.draft.stages) - 1
        looks = self.draft.kind is not None and (last or not self.draft.torch)
        state = self.space[OBJECT] if looks else None
        self.listed = returns.listed(value, stage.returns, state)
        if number < self.draft.cut:
            spot = returns.loss_in(self.listed, self.case["X"].shape[0])
            self.loss = self._text(spot) if spot is not None else self.loss

    def _name(self, stage: Callee) -> str:
        """Return a variable for what a call gives."""
        name = f"{stage.name.strip('_')}_out"
        while name in self.space:
            name += "_"
        return name

    def _unpacked(self, stage: Callee, value: Any) -> tuple[str, ...]:
        """Return a variable for each part of a tuple, where the function's `return` names some."""
        if type(value) is not tuple:
            return ()
        nodes = (n.elts for n in stage.returned_nodes if isinstance(n, ast.Tuple))
        elements = next((elts for elts in nodes if len(elts) == len(value)), [])
        parts = tuple(
            n.id if isinstance(n, ast.Name) else f"part{i}" for i, n in enumerate(elements, 1)
        )
        new = [n for n in parts if n not in self.space and n[0] != "_"]
        named = any(isinstance(n, ast.Name) for n in elements)
        if not named or len(set(new)) != len(value):
            return ()
        self.space.update(zip(parts, value, strict=True))
        return parts

    def _text(self, spot: Location) -> str:
        """Return the expression of what was found."""
        if spot.root == "state":
            text = places.text(spot.place, OBJECT, self.keys)
        else:
            text = self.result.at(spot.place, self.keys)
        self.space |= self.keys
        return text

    def _gradients(self) -> dict[str, Location]:
        shapes = {t: self.encoded[t].shape for t in TENSORS}
        return returns.gradients_in(self.listed, shapes, {**self.encoded, **self.held})

    # ── the hand-written part ────────────────────────────────────────────────

    def end_numpy(self) -> Adapter:
        """Return the adapter with its gradients, from what the last call left or from a step."""
        spots = self._gradients()
        texts = {t: self._text(s) for t, s in spots.items()}
        adapter = replace(self.written, gradients=texts, fresh=self._is_stepping())
        explicit = any(returns.is_explicit(s) for s in spots.values())
        if len(set(WEIGHTS) & set(spots)) >= 2 and (
            explicit or not steps.follows_rate(adapter, self.case)
        ):
            return adapter
        places_of = {t: self._stepped(t) for t in WEIGHTS}
        if stepped := steps.find(adapter, self.case, places_of):
            return replace(adapter, gradients={}, stepped=stepped, fresh=True)
        number = len(self.draft.stages) - 1
        half = adapter if self.loss and not adapter.one_call else None
        why = f"{self.draft.stages[-1].name}: no gradients were found"
        raise Misfit(number, why, half)

    def _is_stepping(self) -> bool:
        """Tell whether the calls have changed the weights that they were given."""
        now = self._weights()
        changed = any(not np.array_equal(self.held[n], np.asarray(now[n])) for n in now)
        return changed or any(not np.array_equal(self.given[n], self.case[n]) for n in WEIGHTS)

    def _stepped(self, tensor: str) -> list[str]:
        """Return where a weight may stand after a step: kept, returned, or the argument itself."""
        kept = [self.draft.weights[tensor]] if tensor in self.draft.weights else []
        named = [self._text(s) for s in returns.weights_in(self.listed, tensor)]
        return [*kept, *named, tensor]

    # ── the PyTorch part ─────────────────────────────────────────────────────

    def end_torch(self) -> Adapter:
        """Return the adapter with its gradients, of the last call or of what autograd leaves."""
        if not self.loss:
            raise Misfit(len(self.draft.stages), "no loss was found")
        weights = self.draft.weights
        spots = self._gradients()
        spots = {t: s for t, s in spots.items() if s.root == "result" or t not in weights}
        texts = {t: self._text(s) for t, s in spots.items()}
        leaves = self._leaves()
        missing = [t for t in TENSORS if t not in texts and t in leaves]
        loss = self.adapter.value(self.loss, self.space)
        if missing and _is_open(loss, [self.adapter.value(leaves[t], self.space) for t in missing]):
            self.lines.append(f"{self.loss}.backward()")
        texts |= {t: f"{leaves[t]}.grad" for t in missing}
        adapter = replace(self.written, gradients=texts)
        return replace(
            adapter, forward_lines=(*adapter.forward_lines, *adapter.backward_lines),
            backward_lines=(),
        )  # fmt: skip

    def _leaves(self) -> dict[str, str]:
        """Return the tensors whose `.grad` autograd fills."""
        found = {n: t for n, t in self.draft.weights.items() if n in WEIGHTS}
        if self.draft.tensors:
            found |= {t: t for t in TENSORS if t not in found and (t == "X" or not found)}
        values = {n: self.adapter.value(text, self.space) for n, text in found.items()}
        return {n: text for n, text in found.items() if places.is_tensor(values[n])}


def _is_open(loss: Any, leaves: list[Any]) -> bool:
    """Tell whether nobody has called backward yet."""
    unfilled = all(leaf.grad is None for leaf in leaves)
    return unfilled and places.is_tensor(loss) and bool(loss.requires_grad)
