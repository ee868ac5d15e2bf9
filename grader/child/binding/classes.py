"""Style: a class that holds the weights, as attributes, in a dictionary, in lists or in layers.

    net = TwoLayerNet(D, H, C); net.params["W1"] = …; loss, grads = net.loss(X, y)
    net = Net(W1, b1, W2, b2); net.forward(X); net.backward(y); net.dW1

Each forward gets an object of its own, which then is the cache: so what an object keeps
between calls is never mistaken for state that is hidden from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.child.binding import names, places, updates
from grader.child.binding.containers import Container, standard_containers
from grader.child.binding.environment import Environment
from grader.child.binding.flow import Flow
from grader.child.binding.functions import (
    chained,
    layout_of,
    locate,
    takes_container,
    takes_network,
)
from grader.child.binding.layout import CONTRACT, Layout
from grader.child.binding.names import plain
from grader.child.binding.source import Class, Function, Source, mentioned
from grader.child.binding.trial import RAISED, SIZES, small_case

FORWARDS = ("forward", "call")
INITIALISERS = ("init", "build", "reset", "setup", "initialize", "create")


@dataclass(frozen=True)
class ClassOwner:
    """Makes an object for each forward and puts the weights where they are kept."""

    kind: Class
    at: Mapping[str, places.Place] = field(default_factory=dict)
    initialiser: Function | None = None
    aliases: Mapping[str, tuple[places.Place, ...]] = field(default_factory=dict)
    """Where else an object keeps the same arrays: in its layers as well as in `params`."""

    fixed_sizes: bool = False
    """Whether it is made at sizes of its own; the weights are put in their place all the same."""

    others: tuple[Function, ...] = ()
    """Functions of the module among the stages, such as a loss."""

    @property
    def title(self) -> str:
        if not self.at:
            return f"class {self.kind.name}"
        held = ", ".join(places.text(self.at[n], "self") for n in sorted(self.at))
        return f"class {self.kind.name} ({held})"

    @property
    def constructor(self) -> Function | None:
        return self.kind.constructor

    def begin(self, environment: Environment) -> Any:
        """An object of the right sizes with copies of the weights in it."""
        subject = self.construct(environment)
        if self.initialiser is not None:
            inner = replace(environment, constructing=True)
            positional, keyword = inner.arguments(self.initialiser)
            getattr(subject, self.initialiser.name)(*positional, **keyword)
        for name, place in self.at.items():
            weight = places.copied(environment.given[name])
            for alias in (place, *self.aliases.get(name, ())):
                places.put(subject, alias, weight)
        updates.adjust(subject, environment.rate)
        updates.quieten(subject)
        return subject

    def construct(self, environment: Environment) -> Any:
        inner = replace(environment, constructing=True)
        constructor = self.constructor
        positional, keyword = inner.arguments(constructor) if constructor else ([], {})
        return self.kind.type(*positional, **keyword)

    def target(self, subject: Any, function: Function) -> Callable[..., Any]:
        if function in self.others:
            target: Callable[..., Any] = function.call
            return target
        bound: Callable[..., Any] = getattr(subject, function.name)
        return bound

    def state(self, subject: Any) -> Any:
        return subject

    def weights(self, subject: Any) -> dict[str, Any]:
        return {name: places.get(subject, place) for name, place in self.at.items()}

    def kept(self, subject: Any, backwards: Sequence[Function]) -> Iterator[places.Entry]:
        """What the backward's own text mentions, and all that lies inside of layers."""
        read = mentioned(backwards)
        for place, array in places.walk(subject):
            if len(place) > 1 or place[0][1] in read:
                yield place, array


def flows(source: Source, *, torch: bool, fixed: dict[str, str]) -> Iterator[Flow]:
    """Ways to call each class that is a whole network."""
    losses = [
        f for f in source.functions
        if f.torch == torch and "loss" in f.kinds and not takes_network(f)
    ]  # fmt: skip
    between = [
        f for f in source.functions
        if f.torch == torch and f.kinds & {"backward", "both"} and not takes_network(f)
    ]  # fmt: skip
    for kind in _in_order(source, torch, fixed):
        for owner, layout, container in _owners(kind):
            for stages, cut, others in _sequences(kind, losses, between):
                own = replace(owner, others=others)
                if (
                    not owner.at
                    and not any(takes_network(s) or takes_container(s) for s in stages)
                    and (not _is_given_weights(kind))
                ):
                    continue
                yield Flow(own, stages, cut, layout or CONTRACT, container)


def _in_order(source: Source, torch: bool, fixed: dict[str, str]) -> list[Class]:
    classes = [c for c in source.classes if c.torch == torch and not c.module]
    wanted = {name.partition(".")[0] for name in fixed.values()}
    named = [c for c in classes if c.name in wanted]
    return named or classes


def _is_given_weights(kind: Class) -> bool:
    if kind.constructor is None:
        return False
    roles = set(names.data_roles(kind.constructor.names).values())
    return {"W1", "W2"} <= roles or takes_container(kind.constructor)


def _owners(kind: Class) -> Iterator[tuple[ClassOwner, Layout | None, Container | None]]:
    """The class with its weights located; nothing when no object of it can be made."""
    container = None
    if kind.constructor is not None and takes_container(kind.constructor):
        container = standard_containers()[0]
    case = small_case()
    environment = Environment(dict(case), dict(SIZES), container)
    plain_owner = ClassOwner(kind)
    try:
        subject = plain_owner.construct(environment)
    except RAISED:
        if _is_given_weights(kind):
            yield plain_owner, None, container
        return
    initialisers = [
        m for m in kind.methods.values()
        if plain(m.name).startswith(INITIALISERS) and not m.name.startswith("__")
    ]  # fmt: skip
    for initialiser in (None, *initialisers):
        if initialiser is not None:
            try:
                ClassOwner(kind, {}, initialiser).begin(environment)
                subject = ClassOwner(kind, {}, initialiser).begin(environment)
            except RAISED:
                continue
        at = locate(list(places.walk(subject)))
        if {"W1", "W2"} <= set(at):
            layout = layout_of({n: places.shape(places.get(subject, p)) for n, p in at.items()})
            if _is_given_weights(kind):
                yield plain_owner, None, container
            else:
                same = places.aliases(subject, at)
                yield ClassOwner(kind, at, initialiser, same), layout, container
            return
        at, chain = chained(list(places.walk(subject)))
        if chain is not None and not _is_given_weights(kind):
            same = places.aliases(subject, at)
            yield ClassOwner(kind, at, initialiser, same, fixed_sizes=True), chain, container
            return
    yield plain_owner, None, container


def _sequences(
    kind: Class, losses: list[Function], between: list[Function]
) -> Iterator[tuple[tuple[Function, ...], int, tuple[Function, ...]]]:
    """(calls, number of them that make the forward, which are functions of the module)."""
    methods = [m for n, m in kind.methods.items() if n == "__call__" or not n.startswith("__")]
    methods = [m for m in methods if not m.stub]
    forwards = [m for m in methods if "forward" in m.kinds or m.name == "__call__"]
    forwards.sort(key=lambda m: (plain(m.name) not in FORWARDS, "predict" in plain(m.name)))
    own_losses = [m for m in methods if "loss" in m.kinds]
    backwards = [m for m in methods if "backward" in m.kinds]
    boths = [m for m in methods if "both" in m.kinds]
    trains = [m for m in methods if "train" in m.kinds]
    for backward in backwards:
        for forward in forwards:
            returns_loss = any(names.is_loss(n) for labels in forward.returns for n in labels)
            if "y" in names.data_roles(forward.names).values() or returns_loss:
                yield (forward, backward), 1, ()
            for loss in own_losses:
                if "X" in names.data_roles(loss.names).values():
                    yield (loss, backward), 1, ()
                else:
                    yield (forward, loss, backward), 2, ()
            for loss in losses:
                yield (forward, loss, backward), 2, (loss,)
                for middle in between:
                    yield (forward, loss, middle, backward), 2, (loss, middle)
            yield (forward, backward), 1, ()
        for loss in own_losses:
            yield (loss, backward), 1, ()
    for one in (*own_losses, *boths):
        yield (one,), 1, ()
    for one in (*forwards, *backwards):
        if "y" in names.data_roles(one.names).values():
            for loss in (*own_losses, *losses):
                yield (one, loss), 2, () if loss in own_losses else (loss,)
            yield (one,), 1, ()
    for step in trains:
        for forward in forwards:
            for loss in (*own_losses, *losses):
                yield (forward, loss, step), 2, () if loss in own_losses else (loss,)
        yield (step,), 1, ()
