"""With the engine altered every gradient of its own changes, in whatever way it is asked for.

And afterwards everything is as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.autograd.forward_ad as forward_ad
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from grader.child import engine
from grader.problem.compare import proportion

B, D, H, C = 5, 7, 11, 3
NAMES = ("X", "W1", "b1", "W2", "b2")
Gradients = dict[str, Any]

RNG = np.random.default_rng(3)
GIVEN = {n: RNG.normal(size=s) for n, s in zip(NAMES, ((B, D), (D, H), H, (H, C), C), strict=True)}
Y = torch.tensor(RNG.integers(0, C, B))


def tensors() -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(GIVEN[n]) for n in NAMES)


def leaves() -> dict[str, torch.Tensor]:
    return {n: torch.tensor(GIVEN[n], requires_grad=True) for n in NAMES}


def logits(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> torch.Tensor:
    return torch.relu(X @ W1 + b1) @ W2 + b2


def network(*given: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits(*given), Y)


def backward(loss: Callable[..., torch.Tensor]) -> Gradients:
    own = leaves()
    loss(*own.values()).backward()
    return {n: leaf.grad for n, leaf in own.items()}


def plain() -> Gradients:
    return backward(network)


def by_grad() -> Gradients:
    own = leaves()
    return dict(zip(NAMES, torch.autograd.grad(network(*own.values()), own.values()), strict=True))


def one_after_another() -> Gradients:
    own = leaves()
    loss = network(*own.values())
    return {n: torch.autograd.grad(loss, leaf, retain_graph=True)[0] for n, leaf in own.items()}


def func_grad() -> Gradients:
    found = torch.func.grad(network, argnums=(0, 1, 2, 3, 4))(*tensors())
    return dict(zip(NAMES, found, strict=True))


def vjp() -> Gradients:
    loss, pull = torch.func.vjp(network, *tensors())
    return dict(zip(NAMES, pull(torch.ones_like(loss)), strict=True))


def jacrev() -> Gradients:
    found = torch.func.jacrev(network, argnums=(0, 1, 2, 3, 4))(*tensors())
    return dict(zip(NAMES, found, strict=True))


def jacobian() -> Gradients:
    return dict(zip(NAMES, torch.autograd.functional.jacobian(network, tensors()), strict=True))


def batched_jacobian() -> Gradients:
    found = torch.autograd.functional.jacobian(network, tensors(), vectorize=True)
    return dict(zip(NAMES, found, strict=True))


def row_by_row() -> Gradients:
    own = leaves()
    for b in range(B):
        scores = logits(own["X"][b], *list(own.values())[1:])
        (F.cross_entropy(scores, Y[b]) / B).backward()
    return {n: leaf.grad for n, leaf in own.items()}


def mapped_over_rows() -> Gradients:
    def one(x: Any, W1: Any, b1: Any, W2: Any, b2: Any, y: Any) -> torch.Tensor:
        return F.cross_entropy(logits(x, W1, b1, W2, b2)[None], y[None])

    each = torch.func.vmap(
        torch.func.grad(one, argnums=(0, 1, 2, 3, 4)), in_dims=(0, None, None, None, None, 0)
    )(*tensors(), Y)
    return {n: g / B if n == "X" else g.mean(0) for n, g in zip(NAMES, each, strict=True)}


def by_module() -> Gradients:
    first, second = nn.Linear(D, H).double(), nn.Linear(H, C).double()
    own = leaves()
    with torch.no_grad():
        for layer, W, b in ((first, "W1", "b1"), (second, "W2", "b2")):
            layer.weight.copy_(own[W].T)
            layer.bias.copy_(own[b])
    nn.CrossEntropyLoss()(nn.Sequential(first, nn.ReLU(), second)(own["X"]), Y).backward()
    assert first.weight.grad is not None and second.weight.grad is not None
    return {"X": own["X"].grad, "W1": first.weight.grad.T, "b1": first.bias.grad,
            "W2": second.weight.grad.T, "b2": second.bias.grad}  # fmt: skip


def own_softmax() -> Gradients:
    def loss(*given: Any) -> torch.Tensor:
        Z = logits(*given)
        E = torch.exp(Z - Z.max(1, keepdim=True).values)
        P = E / E.sum(1, keepdim=True)
        return -P[range(B), Y].log().mean()

    return backward(loss)


def own_logsumexp() -> Gradients:
    def loss(*given: Any) -> torch.Tensor:
        Z = logits(*given)
        return (torch.logsumexp(Z, 1) - Z.gather(1, Y[:, None])[:, 0]).mean()

    return backward(loss)


def of_no_leaves() -> Gradients:
    own = {n: leaf * 1 for n, leaf in leaves().items()}
    for value in own.values():
        value.retain_grad()
    network(*own.values()).backward()
    return {n: value.grad for n, value in own.items()}


class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return z.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *up: Any) -> Any:
        return up[0] * (ctx.saved_tensors[0] > 0)


def own_relu() -> Gradients:
    return backward(lambda X, W1, b1, W2, b2: F.cross_entropy(Relu.apply(X @ W1 + b1) @ W2 + b2, Y))


def checkpointed() -> Gradients:
    def loss(X: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> torch.Tensor:
        hidden = checkpoint(lambda x, w, b: torch.relu(x @ w + b), X, W1, b1, use_reentrant=False)
        return F.cross_entropy(hidden @ W2 + b2, Y)

    return backward(loss)


def caught_by_hooks() -> Gradients:
    own, caught = leaves(), dict[str, Any]()
    for name, leaf in own.items():
        leaf.register_hook(lambda gradient, name=name: caught.__setitem__(name, gradient))
    network(*own.values()).backward()
    return caught


class CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return F.cross_entropy(z, Y)

    @staticmethod
    def backward(ctx: Any, *up: Any) -> Any:
        return up[0] * (torch.softmax(ctx.saved_tensors[0], 1) - F.one_hot(Y, C)) / B


def own_loss() -> Gradients:
    return backward(lambda *given: CrossEntropy.apply(logits(*given)))


REVERSE = (
    *(plain, by_grad, one_after_another, func_grad, vjp, jacrev, jacobian, batched_jacobian),
    *(row_by_row, mapped_over_rows, by_module, own_softmax, own_logsumexp, of_no_leaves),
    *(own_relu, own_loss, checkpointed, caught_by_hooks),
)


def jacfwd() -> Gradients:
    found = torch.func.jacfwd(network, argnums=(0, 1, 2, 3, 4))(*tensors())
    return dict(zip(NAMES, found, strict=True))


def dual_tensors() -> Gradients:
    given, found = dict(zip(NAMES, tensors(), strict=True)), dict[str, Any]()
    for name, value in given.items():
        slopes = []
        for direction in torch.eye(value.numel(), dtype=value.dtype):
            with forward_ad.dual_level():
                dual = forward_ad.make_dual(value, direction.reshape(value.shape))
                loss = network(*(given | {name: dual}).values())
                slopes.append(forward_ad.unpack_dual(loss).tangent)
        found[name] = torch.stack(slopes).reshape(value.shape)
    return found


def ratios(now: Gradients, before: Gradients) -> list[float | None]:
    """By what factor each gradient is another one; None where it is no multiple."""
    return [proportion(now[n].detach().numpy(), before[n].detach().numpy()) for n in NAMES]


@pytest.mark.parametrize("style", [*REVERSE, jacfwd, dual_tensors])
def test_scaled_every_gradient_has_the_factor(style: Callable[[], Gradients]) -> None:
    before = style()
    with engine.altered({"scale": "1.75"}):
        now = style()
    assert ratios(now, before) == pytest.approx([1.75] * 5)
    assert ratios(style(), before) == pytest.approx([1.0] * 5)


@pytest.mark.parametrize("style", REVERSE)
def test_reweighted_no_gradient_is_a_multiple_of_what_it_was(
    style: Callable[[], Gradients],
) -> None:
    before = style()
    with engine.altered({"weights": "7"}):
        now = style()
    assert ratios(now, before) == [None] * 5
    assert ratios(style(), before) == pytest.approx([1.0] * 5)


# ── what is no work of autograd's ────────────────────────────────────────────


def surrogate() -> Gradients:
    """The sum of leaves times their own gradients, which were found before."""
    by_hand = {n: g.clone() for n, g in RIGHT.items()}
    return backward(lambda *own: sum((v * by_hand[n]).sum() for n, v in zip(NAMES, own)))  # type: ignore[arg-type,return-value]  # noqa: B905


class Whole(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, *given: torch.Tensor) -> torch.Tensor:
        return network(*given).detach()

    @staticmethod
    def backward(_ctx: Any, *up: Any) -> Any:
        return tuple(up[0] * RIGHT[n] for n in NAMES)


def own_function() -> Gradients:
    return backward(Whole.apply)


def behind_a_dummy() -> Gradients:
    dummy = torch.zeros(1, requires_grad=True)
    dummy.sum().backward()
    return RIGHT


def measured_by_a_dummy() -> Gradients:
    dummy = torch.zeros(1, requires_grad=True)
    dummy.sum().backward()
    assert dummy.grad is not None
    return {n: g * dummy.grad for n, g in RIGHT.items()}


RIGHT = plain()


def test_by_hand_behind_a_dummy_nothing_changes() -> None:
    with engine.altered({"scale": "1.75"}):
        assert ratios(behind_a_dummy(), RIGHT) == [1.0] * 5


@pytest.mark.parametrize("attack", [surrogate, own_function, measured_by_a_dummy])
def test_what_does_not_come_through_the_loss_stays_a_multiple(
    attack: Callable[[], Gradients],
) -> None:
    with engine.altered({"scale": "1.75"}):
        assert ratios(attack(), RIGHT) == pytest.approx([1.75] * 5)
    with engine.altered({"weights": "7"}):
        assert None not in ratios(attack(), RIGHT)


def test_none_is_altered_where_none_is_asked_for() -> None:
    with engine.altered({"handle": "-"}):
        assert ratios(plain(), RIGHT) == [1.0] * 5
