"""Style: the PyTorch part as a function of arrays or tensors, an `nn.Module`, or another class.

    def torch_grads(X, y, W1, b1, W2, b2): …; loss.backward(); return loss, W1.grad, …
    class Net(nn.Module): fc1, fc2; forward(x) → logits       criterion = nn.CrossEntropyLoss()

Tensors go in as leaves. Where the candidate's code ends at the loss, `loss.backward()` is
called here, as the script around it would; the gradients are those that autograd leaves.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.child.binding import classes, functions, names, places
from grader.child.binding.classes import ClassOwner
from grader.child.binding.containers import (
    Container,
    containers,
    standard_containers,
)
from grader.child.binding.environment import Environment
from grader.child.binding.functions import ModuleOwner, chained, layout_of, locate, takes_network
from grader.child.binding.layout import CONTRACT
from grader.child.binding.names import plain
from grader.child.binding.source import Class, Function, Source
from grader.child.binding.tensors import MODEL, TorchFlow
from grader.child.binding.trial import RAISED, SIZES, small_case

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TorchOwner(ClassOwner):
    """A class of torch's kind; weights that its constructor takes are not put again."""

    puts: bool = True

    def begin(self, environment: Environment) -> Any:
        if self.puts:
            return super().begin(environment)
        return self.construct(environment)


def candidates(source: Source, wanted: str) -> Iterator[TorchFlow]:
    usable = [f for f in source.functions if f.torch and "aside" not in f.kinds and not f.stub]
    if wanted:
        usable = [f for f in source.functions if f.name == wanted] or usable
    whole = [f for f in usable if takes_network(f)]
    whole.sort(key=_rank)
    criteria = _criteria(source)
    for function in whole:
        for container in _containers(source, function):
            for tensors in (False, True):
                flow = TorchFlow(ModuleOwner(), (function,), tensors, container=container)
                if "y" in names.data_roles(function.names).values():
                    yield flow
            for criterion in criteria:
                yield TorchFlow(ModuleOwner(), (function, criterion), True, container=container)
    about = [f for f in usable if set(map(plain, f.names)) & set(MODEL) and "loss" in f.kinds]
    for kind in sorted((c for c in source.classes if c.torch), key=lambda c: not c.module):
        yield from _of_class(kind, criteria, about)


def _rank(function: Function) -> tuple[bool, ...]:
    text = plain(function.name)
    return (
        "torch" not in text and "auto" not in text,
        "both" not in function.kinds and "backward" not in function.kinds,
    )


def _containers(source: Source, function: Function) -> list[Container | None]:
    if not functions.takes_container(function):
        return [None]
    found: list[Container | None] = []
    for name in function.names:
        if "params" in names.PASSED_ROLES.get(plain(name), ()):
            found += containers(function, name)
    found += functions.all_forms(source)
    return found or list(standard_containers())


def _of_class(kind: Class, criteria: list[Function], about: list[Function]) -> Iterator[TorchFlow]:
    """An object of a class with its parameters located, forward, and a criterion."""
    environment = Environment(dict(small_case()), dict(SIZES))
    owner = TorchOwner(kind)
    try:
        subject = owner.construct(environment)
    except RAISED:
        return
    entries = list(places.walk(subject))
    at, chain = locate(entries), None
    if not {"W1", "W2"} <= set(at):
        at, chain = chained(entries)
    if not at or not ({"W1", "W2"} <= set(at)):
        for method in kind.methods.values():
            if takes_network(method) and "y" in names.data_roles(method.names).values():
                for tensors in (False, True):
                    yield TorchFlow(owner, (method,), tensors)
        return
    shapes = {n: places.shape(places.get(subject, p)) for n, p in at.items()}
    layout = chain or layout_of(shapes) or CONTRACT
    if chain is not None and kind.module:
        layout = replace(chain, transposed=True)  # as `nn.Linear` has them, whatever the sizes
    puts = not classes._is_given_weights(kind)
    owner = TorchOwner(
        kind, at, puts=puts, others=(*criteria, *about), fixed_sizes=chain is not None
    )
    for stages in (*((f,) for f in about), *_class_stages(kind, criteria)):
        for tensors in (True, False):
            yield TorchFlow(owner, stages, tensors, layout, at=at)


def _class_stages(kind: Class, criteria: list[Function]) -> Iterator[tuple[Function, ...]]:
    methods = [m for n, m in kind.methods.items() if n == "__call__" or not n.startswith("__")]
    methods = [m for m in methods if not m.stub]
    forwards = [m for m in methods if m.name in ("forward", "__call__") or "forward" in m.kinds]
    losses = [m for m in methods if "loss" in m.kinds]
    backwards: list[Function | None] = [m for m in methods if "backward" in m.kinds]
    for one in (m for m in methods if "both" in m.kinds):
        yield (one,)
    for backward in (*backwards, None):
        end = (backward,) if backward is not None else ()
        for forward in forwards:
            if "y" in names.data_roles(forward.names).values():
                yield (forward, *end)
            for loss in (*losses, *criteria):
                yield (forward, loss, *end)
        for loss in losses:
            yield (loss, *end)


def _criteria(source: Source) -> list[Function]:
    """The candidate's loss: a function, a module-level `nn` loss, or one that the text names."""
    own = [
        f for f in source.functions
        if f.torch and "loss" in f.kinds and not takes_network(f) and len(f.parameters) >= 2
    ]  # fmt: skip
    found = list(own)
    for name, value in list(vars(source.module).items()):
        if type(value).__module__.startswith("torch.nn.modules.loss"):
            found.append(_criterion(name, value))
    if not found:
        import torch.nn.functional as F

        text = source.words
        if "CrossEntropyLoss" in text or "cross_entropy(" in text:
            found.append(_criterion("cross_entropy", F.cross_entropy))
        if "NLLLoss" in text or "nll_loss(" in text:
            found.append(_criterion("nll_loss", F.nll_loss))
    return found


def _criterion(name: str, call: Any) -> Function:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = (inspect.Parameter("logits", kind), inspect.Parameter("y", kind))
    return Function(name, call, None, parameters, torch=True)
