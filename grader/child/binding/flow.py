"""One way to call a candidate's code: whose functions, in which order, and where the answers are.

A `Flow` gives the contract's `forward` and `backward`. It is made by `fit`, which calls the
functions once on a small case and looks where loss and gradients arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from grader.child.binding import places, returns, updates
from grader.child.binding.containers import Container
from grader.child.binding.environment import Environment, Unbindable
from grader.child.binding.layout import CONTRACT, Layout
from grader.child.binding.names import TENSORS, WEIGHTS
from grader.child.binding.returns import Spot
from grader.child.binding.source import Function
from grader.child.binding.trial import RAISED

Array = np.ndarray[Any, Any]
Inputs = Mapping[str, Array]


class Owner(Protocol):
    """Whose functions are called: the module's, or an object's of one of its classes."""

    @property
    def title(self) -> str:
        """Whose functions, in words."""

    def begin(self, environment: Environment) -> Any:
        """What the functions are called on, with the weights in it; new for each forward."""

    def target(self, subject: Any, function: Function) -> Callable[..., Any]:
        """The function as it is called."""

    def state(self, subject: Any) -> Any:
        """What a call may leave something in; None for nothing."""

    def weights(self, subject: Any) -> dict[str, Any]:
        """The weights that the subject holds now; {} when it holds none."""

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        """The arrays on the subject that the backward calls may read."""


class Misfit(Exception):
    """A trial that did not give what is asked; `stage` is the number of the call that failed.

    `half` is the way as far as it went, where the forward gave its loss.
    """

    def __init__(self, stage: int, why: str, half: Flow | None = None) -> None:
        super().__init__(why)
        self.stage, self.half = stage, half


@dataclass
class Handle:
    """What `forward` leaves for `backward`: the contract's cache."""

    environment: Environment
    subject: Any
    inputs: dict[str, Array]
    result: Any = None
    gradients: dict[str, Any] | None = None


@dataclass(frozen=True)
class Flow:
    """`stages` in their order; `forward` makes the first `cut` calls, `backward` the rest.

    With one stage loss and gradients come from one call. `replays`: backward steps the weights
    it reads, so each begins from a forward of its own. `rate`: gradients are recovered from
    the weights' change at that learning rate.
    """

    owner: Owner
    stages: tuple[Function, ...]
    cut: int
    layout: Layout = CONTRACT
    container: Container | None = None
    cache_whole: bool = False
    loss: tuple[int, Spot] | None = None
    gradients: Mapping[str, Spot] = field(default_factory=dict)
    replays: bool = False
    stepped: Mapping[str, updates.Step] = field(default_factory=dict)

    @property
    def one_call(self) -> bool:
        return self.cut == len(self.stages)

    # ── the contract's two functions ─────────────────────────────────────────

    def forward(self, inputs: Inputs) -> tuple[Any, Handle]:
        """The loss (NaN when no function gives one), and what `backward` needs."""
        kept = dict(inputs)
        given = {n: a.copy() for n, a in kept.items()} if self.replays else kept
        handle = Handle(*self.begin(given), kept)
        results = [self._call(handle, stage) for stage in self.stages[: self.cut]]
        handle.result = results[-1]
        loss: Any = np.nan
        if self.loss is not None:
            number, spot = self.loss
            loss = spot.read(results[number], self.owner.state(handle.subject))
        if self.one_call:
            handle.gradients = self._decoded(handle, results[-1])
        return loss, handle

    def backward(self, handle: Handle) -> dict[str, Any]:
        """The gradients by tensor; those that were not found are left out."""
        if handle.gradients is not None:
            return handle.gradients
        if self.replays:
            _, again = self.forward(handle.inputs)
        else:
            again = replace(handle, environment=handle.environment.copy())
        result = None
        for stage in self.stages[self.cut :]:
            result = self._call(again, stage)
        return self._decoded(again, result)

    def at_once(self, inputs: Inputs) -> dict[str, Any]:
        """The gradients, with no call made twice."""
        _, handle = replace(self, cut=len(self.stages)).forward(inputs)
        assert handle.gradients is not None
        return handle.gradients

    def begin(self, inputs: Inputs) -> tuple[Environment, Any]:
        """The encoded arguments, and a fresh subject with the weights in it."""
        sizes = dict(zip("BD", inputs["X"].shape, strict=True))
        sizes |= dict(zip("HC", inputs["W2"].shape, strict=True))
        environment = Environment(
            self.layout.encode(inputs), sizes, self.container, cache_whole=self.cache_whole
        )
        return environment, self.owner.begin(environment)

    def _call(self, handle: Handle, function: Function) -> Any:
        target = self.owner.target(handle.subject, function)
        try:
            return handle.environment.call(function, target)
        except Unbindable as error:
            raise TypeError(str(error)) from None

    def _decoded(self, handle: Handle, result: Any) -> dict[str, Any]:
        state = self.owner.state(handle.subject)
        found, problems = returns.read(self.gradients, result, state)
        if self.stepped:
            now = self.owner.weights(handle.subject)
            before, given = self.layout.encode(handle.inputs), handle.environment.given
            found |= updates.recover(self.stepped, before, result, now, given)
        decoded: dict[str, Any] = {t: self.layout.decode(t, g) for t, g in found.items()}
        for tensor in problems:  # as it came, for the message that it deserves
            decoded[tensor] = None
        return decoded

    def shown(self, handle: Handle) -> dict[str, Any]:
        """What was kept for backward and is no weight: the arrays that a cache would hold."""
        if self.one_call:
            return {}
        weights = {id(w) for w in self.owner.weights(handle.subject).values()}
        weights |= {id(handle.environment.given.get(name)) for name in ("b1", "b2")}
        kept = {
            places.text(place, "self"): array
            for place, array in self.owner.kept(handle.subject, self.stages[self.cut :])
            if id(array) not in weights
        }
        probe = handle.environment.copy()
        probe.used = {}
        for stage in self.stages[self.cut :]:
            try:
                probe.arguments(stage)
            except RAISED:
                continue
        return kept | probe.used

    # ── words ────────────────────────────────────────────────────────────────

    @property
    def sentence(self) -> str:
        """`class TwoLayerNet: forward(X), then backward(y)`."""
        calls = ", then ".join(stage.heading for stage in self.stages)
        return f"{self.owner.title}: {calls}"

    @property
    def deviations(self) -> tuple[str, ...]:
        """What differs from the contract."""
        said = list(self.layout.words)
        if getattr(self.owner, "fixed_sizes", False):
            said.append("the class is made at sizes of its own, and given weights of others")
        if self.one_call:
            said.append("one call gives the loss and the gradients")
        if self.loss is None:
            said.append("no function gives the loss")
        if self.replays and not self.stepped:
            said.append("backward steps the weights; each is given fresh ones")
        if self.stepped:
            said.append("gradients are read off the step that the weights take")
        missing = [t for t in TENSORS if t not in self.gradients and t not in self.stepped]
        said += [f"the gradient of {t} is not returned" for t in missing]
        return tuple(said)


# ── fitting ──────────────────────────────────────────────────────────────────


def fit(flow: Flow, case: Inputs) -> Flow:
    """`flow` with the places of loss and gradients. Raises `Misfit`."""
    given = {name: array.copy() for name, array in case.items()}
    try:
        environment, subject = flow.begin(given)
    except RAISED as error:
        raise Misfit(-1, f"{flow.owner.title}: {said(error)}") from error
    encoded = flow.layout.encode(case)
    held = {n: np.array(w, copy=True) for n, w in flow.owner.weights(subject).items()}
    loss: tuple[int, Spot] | None = None
    batch = case["X"].shape[0]
    result: Any = None
    listed: list[returns.Found] = []
    for number, stage in enumerate(flow.stages):
        try:
            result = environment.call(stage, flow.owner.target(subject, stage))
        except RAISED as error:
            half = replace(flow, loss=loss) if loss is not None and number >= flow.cut else None
            raise Misfit(number, f"{stage.name}: {said(error)}", half) from error
        listed = returns.listed(result, stage.returns, flow.owner.state(subject))
        if number < flow.cut and (spot := returns.loss_in(listed, batch)) is not None:
            loss = number, spot
    shapes = {t: encoded[t].shape for t in TENSORS}
    spots = returns.gradients_in(listed, shapes, {**given, **encoded, **held})
    stepping = _stepping(flow, subject, held, given, case)
    fitted = replace(flow, loss=loss, gradients=spots, replays=stepping)
    if len(set(WEIGHTS) & set(spots)) >= 2 and not updates.follows_rate(fitted, case):
        return fitted
    stepped = updates.find(fitted, case, listed)
    if stepped:
        return replace(fitted, gradients={}, stepped=stepped, replays=True)
    half = fitted if loss is not None and not flow.one_call else None
    raise Misfit(len(flow.stages) - 1, f"{flow.stages[-1].name}: no gradients were found", half)


def _stepping(flow: Flow, subject: Any, held: Inputs, given: Inputs, case: Inputs) -> bool:
    """Whether the calls have changed the weights that they were given."""
    now = flow.owner.weights(subject)
    changed = any(not np.array_equal(held[n], np.asarray(now[n])) for n in held if n in now)
    return changed or any(not np.array_equal(given[n], case[n]) for n in WEIGHTS)


def said(error: BaseException) -> str:
    """An exception in one short line."""
    if isinstance(error, Unbindable):
        return str(error)
    first = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:200]


def numbers(flow: Flow, case: Inputs) -> dict[str, Array]:
    """Loss and gradients on `case`, to compare two ways of calling."""
    loss, handle = flow.forward({n: a.copy() for n, a in case.items()})
    answer = {t: np.asarray(g) for t, g in flow.backward(handle).items() if g is not None}
    if flow.loss is not None:
        answer["loss"] = np.asarray(loss)
    return answer


def same(one: Mapping[str, Array], other: Mapping[str, Array], *, within: float = 1e-5) -> bool:
    """Whether two answers agree in all that both have; finite differences may be one of them."""
    for name in set(one) & set(other):
        a, b = np.squeeze(one[name]), np.squeeze(other[name])
        if a.shape != b.shape:
            return False
        scale = max(float(np.abs(a).max(initial=0.0)), 1e-300)
        if not float(np.abs(a - b).max(initial=0.0)) <= within * scale:
            return False
    return True


def consistent(answer: Mapping[str, Array], case: Inputs) -> bool:
    """Whether each gradient has the shape that its tensor has in this layout."""
    return all(answer[t].shape == case[t].shape for t in TENSORS if t in answer)


def sequence(*stages: Function | None) -> tuple[Function, ...]:
    return tuple(s for s in stages if s is not None)


Candidates = Sequence[Flow]
