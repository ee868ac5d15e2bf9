"""Style: the PyTorch part as a function of arrays or tensors, an `nn.Module`, or another class.

    def torch_grads(X, y, W1, b1, W2, b2): …; loss.backward(); return loss, W1.grad, …
    class Net(nn.Module): fc1, fc2; forward(x) → logits       criterion = nn.CrossEntropyLoss()

Tensors go in as leaves. Where the candidate's code ends at the loss, `loss.backward()` is
called by the adapter, as the script around it would; the gradients are those that autograd
leaves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from grader.child.binding.language.containers import STANDARD, WeightForm, fields_of, forms_of
from grader.child.binding.names import plain
from grader.child.binding.source import Callee, Class, Source
from grader.child.binding.styles import objects
from grader.child.binding.writer import MODEL, Draft


def drafts(source: Source, fixed: Mapping[str, str]) -> Iterator[Draft]:
    """Ways to call functions of torch's, then classes; `fixed` may name the function."""
    usable = [f for f in source.functions if f.torch and "aside" not in f.kinds and not f.stub]
    wanted = fixed.get("torch_forward_backward", "")
    if not any(f.takes_network for f in usable):  # `run_torch`
        usable = [f for f in source.functions if f.torch and not f.stub and "y" in f.roles]
    usable = [f for f in source.functions if wanted and f.name == wanted] or usable
    criteria = _criteria(source)
    for function in sorted((f for f in usable if f.takes_network), key=_rank):
        for container in _containers(source, function):
            draft = Draft((function,), 1, container=container, torch=True)
            if "y" in function.roles:
                yield draft
                yield replace(draft, tensors=True)
            for criterion in criteria:
                yield replace(draft, stages=(function, criterion), cut=2, tensors=True)
    about = [f for f in usable if set(map(plain, f.names)) & set(MODEL) and "loss" in f.kinds]
    for kind in sorted((c for c in source.classes if c.torch), key=lambda c: not c.module):
        yield from _of_class(source, kind, criteria, about)


def _rank(function: Callee) -> tuple[bool, ...]:
    text = plain(function.name)
    return (
        "torch" not in text and "auto" not in text,
        "both" not in function.kinds and "backward" not in function.kinds,
    )


def _containers(source: Source, function: Callee) -> list[WeightForm | None]:
    if not function.takes_container:
        return [None]
    own, others = fields_of(source.classes), forms_of(source.functions)
    found = [*forms_of([function]), *own, *others]
    return list(found or STANDARD)


def _of_class(
    source: Source, kind: Class, criteria: list[Callee], about: list[Callee]
) -> Iterator[Draft]:
    """Yield an object of a class with its parameters located, forward, and a criterion."""
    for draft in objects.drafts(source.module, kind, torch=True):
        if not draft.weights:
            for method in kind.methods.values():
                if method.takes_network and "y" in method.roles:
                    yield replace(draft, stages=(method,))
                    yield replace(draft, stages=(method,), tensors=True)
            return
        for stages, cut in (*(((f,), 1) for f in about), *_class_stages(kind, criteria)):
            for tensors in (True, False):
                yield replace(draft, stages=stages, cut=cut, tensors=tensors)


def _class_stages(kind: Class, criteria: list[Callee]) -> Iterator[tuple[tuple[Callee, ...], int]]:
    methods = kind.callable_methods
    forwards = [m for m in methods if m.name in ("forward", "__call__") or "forward" in m.kinds]
    losses = [m for m in methods if "loss" in m.kinds]
    for one in (m for m in methods if "both" in m.kinds):
        yield (one,), 1
    for end in (*((m,) for m in methods if "backward" in m.kinds), ()):
        for forward in forwards:
            if "y" in forward.roles:
                yield (forward, *end), 1
            for loss in (*losses, *criteria):
                yield (forward, loss, *end), 2
        for loss in losses:
            yield (loss, *end), 1


def _criteria(source: Source) -> list[Callee]:
    """Return the candidate's loss: a function, an `nn` loss, or one that the text names."""
    found = [
        f for f in source.functions
        if f.torch and "loss" in f.kinds and not f.takes_network and len(f.parameters) >= 2
    ]  # fmt: skip
    for name, value in list(vars(source.module).items()):
        if type(value).__module__.startswith("torch.nn.modules.loss"):
            found.append(_criterion(name, value))
    if not found:
        import torch.nn.functional as F

        text = source.words
        if "CrossEntropyLoss" in text or "cross_entropy(" in text:
            found.append(_criterion("cross_entropy", F.cross_entropy, "torch.nn.functional"))
        if "NLLLoss" in text or "nll_loss(" in text:
            found.append(_criterion("nll_loss", F.nll_loss, "torch.nn.functional"))
    return found


def _criterion(name: str, call: Callable[..., Any], owner: str = "") -> Callee:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = (inspect.Parameter("logits", kind), inspect.Parameter("y", kind))
    return Callee(name, call, None, parameters, torch=True, owner=owner)
