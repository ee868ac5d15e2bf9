"""Autograd's engine altered for one call: what comes from it changes, the rest is hand-written.

Child's side. Both alterations last for one whole call of the PyTorch part, with numbers that the
judge sends and draws anew for each submission; the judge compares what comes back.

- *Scaled*: every run of the engine starts from its seeds times a factor. Differentiation is
  linear in its seeds, so every gradient changes by that factor, whichever function asked for it
  (`backward`, `torch.autograd.grad`, `torch.func`). So do the tangents of forward mode.
- *Reweighted*: what leaves the nodes of a logarithm, an exponential or a softmax is multiplied
  entry by entry with random weights. All five gradients of a cross-entropy flow through such a
  node; those of a sum that only carries numbers to the leaves do not, nor do those that a
  `torch.autograd.Function` makes for all of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

SCALE, WEIGHTS = "scale", "weights"
"""Items of a request: the factor, and the seed of the random weights."""

CURVED = (
    *("softmax", "log", "exp", "sigmoid", "tanh", "pow", "nllloss", "crossentropy", "entr"),
    *("erf", "softplus", "gamma"),
)
"""Parts of the names of the nodes that a softmax, or a cross-entropy, is made of."""

FLAT = ("expand",)
"""Names that have such a part by chance."""

PRODUCTS, LAYERS = ("mm", "mv", "dot", "linear"), 2
"""Parts of the names of the nodes of matrix products, and how many of those the network has."""

MAX_NODES = 200_000
"""Nodes of a graph that are looked at; a loop over entries makes some ten thousand."""

LEAST, MOST = 0.5, 2.0
"""Between these lie the random weights."""


def altered(items: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Return the alteration that a request asks for; none where it asks for none."""
    if SCALE in items:
        return scaled(float(items[SCALE]))
    if WEIGHTS in items:
        return reweighted(int(items[WEIGHTS]))
    return nullcontext()


@contextmanager
def scaled(factor: float) -> Iterator[None]:
    """Multiply the seeds of every run of the engine, and the tangents of forward mode."""
    import torch.autograd.forward_ad as forward_ad

    unpack_dual = forward_ad.unpack_dual

    def unpacked(*arguments: Any, **more: Any) -> Any:
        dual = unpack_dual(*arguments, **more)
        return dual if dual.tangent is None else dual._replace(tangent=dual.tangent * factor)

    def run(original: Callable[..., Any], outputs: Any, seeds: Any, *rest: Any, **more: Any) -> Any:
        times = tuple(seed if seed is None else seed * factor for seed in seeds)
        return original(outputs, times, *rest, **more)

    forward_ad.unpack_dual = unpacked
    try:
        with _engine(run):
            yield
    finally:
        forward_ad.unpack_dual = unpack_dual


@contextmanager
def reweighted(seed: int) -> Iterator[None]:
    """Multiply what leaves the curved nodes with random weights, new ones each time."""
    random = np.random.default_rng(seed)

    def weighted(gradient: Any) -> Any:
        import torch

        if gradient is None or not gradient.is_floating_point():
            return gradient
        weights = random.uniform(LEAST, MOST, tuple(gradient.shape))
        return gradient * torch.from_numpy(np.asarray(weights)).to(gradient.dtype)

    def hook(inputs: Any, _outputs: Any) -> Any:
        return tuple(weighted(gradient) for gradient in inputs)

    def run(original: Callable[..., Any], outputs: Any, *rest: Any, **more: Any) -> Any:
        handles = [node.register_hook(hook) for node in of_the_loss(nodes(outputs))]
        try:
            return original(outputs, *rest, **more)
        finally:
            for handle in handles:
                handle.remove()

    with _engine(run):
        yield


def nodes(outputs: Sequence[Any]) -> list[Any]:
    """Return the nodes of the graph below some tensors, each once."""
    waiting = [getattr(output, "node", None) or output.grad_fn for output in outputs]
    found: dict[Any, None] = {}
    while waiting and len(found) < MAX_NODES:
        node = waiting.pop()
        if node is not None and node not in found:
            found[node] = None
            waiting += [following for following, _ in node.next_functions]
    return list(found)


def of_the_loss(found: Sequence[Any]) -> list[Any]:
    """Return the nodes of a graph that a cross-entropy is made of.

    PyTorch's own: of a logarithm, an exponential or a softmax. A function of the candidate's may
    be the loss as well, where the layers below it are PyTorch's: at least both products.
    """
    products = sum(not _is_own(n) and any(w in _name(n) for w in PRODUCTS) for n in found)
    layered = products >= LAYERS
    return [n for n in found if (layered if _is_own(n) else any(w in _name(n) for w in CURVED))]


def _name(node: Any) -> str:
    name = type(node).__name__.lower()
    for word in FLAT:
        name = name.replace(word, "")
    return name


def _is_own(node: Any) -> bool:
    """Whether a node is one of a `torch.autograd.Function`."""
    from torch.autograd.function import BackwardCFunction

    return isinstance(node, BackwardCFunction)


class _Altered:
    """Stands in for PyTorch's engine, and differs from it in how it runs backward."""

    def __init__(self, engine: Any, run: Callable[..., Any]) -> None:
        self._engine, self._run = engine, run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run_backward(self, outputs: Any, *rest: Any, **more: Any) -> Any:
        """Run backward as altered."""
        return self._run(self._engine.run_backward, outputs, *rest, **more)


@contextmanager
def _engine(run: Callable[..., Any]) -> Iterator[None]:
    """Put another engine where `backward`, `grad` and all others look for PyTorch's at last."""
    from torch.autograd import Variable

    holder: Any = Variable
    original = holder._execution_engine
    holder._execution_engine = _Altered(original, run)
    try:
        yield
    finally:
        holder._execution_engine = original
