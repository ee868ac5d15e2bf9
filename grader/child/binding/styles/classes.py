"""Style: a class that holds the weights, as attributes, in a dictionary, in lists or in layers.

    net = TwoLayerNet(D, H, C); net.params["W1"] = …; loss, grads = net.loss(X, y)
    net = Net(W1, b1, W2, b2); net.forward(X); net.backward(y); net.dW1

Each forward gets an object of its own, which then is the cache: so what an object keeps
between calls is never mistaken for state that is hidden from the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from grader.child.binding import names
from grader.child.binding.names import plain
from grader.child.binding.source import Callee, Class, Source
from grader.child.binding.styles import objects
from grader.child.binding.writer import Draft

FORWARDS = ("forward", "call")

Stages = tuple[tuple[Callee, ...], int]
"""Calls, and the number of them that make the forward."""


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Ways to call each class that is a whole network."""
    partial = [f for f in source.functions if not f.torch and not f.takes_network]
    losses = [f for f in partial if "loss" in f.kinds]
    between = [f for f in partial if f.kinds & {"backward", "both"}]
    classes = [c for c in source.classes if not c.torch and not c.module]
    wanted = {name.partition(".")[0] for name in fixed.values()}
    for kind in [c for c in classes if c.name in wanted] or classes:
        for draft in objects.drafts(source.module, kind):
            has_weights = bool(draft.weights) or kind.is_given_weights
            for stages, cut in _sequences(kind, losses, between):
                if has_weights or any(s.takes_network or s.takes_container for s in stages):
                    yield replace(draft, stages=stages, cut=cut)


def _sequences(
    kind: Class, losses: Sequence[Callee], between: Sequence[Callee]
) -> Iterator[Stages]:
    methods = kind.callable_methods
    forwards = [m for m in methods if "forward" in m.kinds or m.name == "__call__"]
    forwards.sort(key=lambda m: (plain(m.name) not in FORWARDS, "predict" in plain(m.name)))
    own = [m for m in methods if "loss" in m.kinds]
    backwards = [m for m in methods if "backward" in m.kinds]
    for backward in backwards:
        for forward in forwards:
            yield from _pairs(forward, backward, own, losses, between)
        for loss in own:
            yield (loss, backward), 1
    for one in (*own, *(m for m in methods if "both" in m.kinds)):
        yield (one,), 1
    for one in (f for f in (*forwards, *backwards) if "y" in f.roles):
        for loss in (*own, *losses):
            yield (one, loss), 2
        yield (one,), 1
    for step in (m for m in methods if "train" in m.kinds):
        for forward in forwards:
            for loss in (*own, *losses):
                yield (forward, loss, step), 2
        yield (step,), 1


def _pairs(
    forward: Callee,
    backward: Callee,
    own: Sequence[Callee],
    losses: Sequence[Callee],
    between: Sequence[Callee],
) -> Iterator[Stages]:
    """Yield a forward and a backward, with a loss of the class's or the module's between."""
    returns_loss = any(names.is_loss(n) for labels in forward.returns for n in labels)
    if "y" in forward.roles or returns_loss:
        yield (forward, backward), 1
    for loss in own:
        if "X" in loss.roles:
            yield (loss, backward), 1
        else:
            yield (forward, loss, backward), 2
    for loss in losses:
        yield (forward, loss, backward), 2
        for middle in between:
            yield (forward, loss, middle, backward), 2
    yield (forward, backward), 1
