"""Correct solutions by the dozen: fragments of text for each step, every combination right.

An axis is one decision that candidates take in different ways; its options are
pieces of source that fit any choice on the other axes. `variants` walks through
the axes so that each option meets many others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

COUNT = 84

TENSORS = ("W1", "b1", "W2", "b2", "X")

LINEAR = {
    "matmul": ("{x} @ {w} + {b}", "{a}.T @ {d}", "{d} @ {w}.T"),
    "dot": ("np.dot({x}, {w}) + {b}", "np.dot({a}.T, {d})", "np.dot({d}, {w}.T)"),
    "method": ("{b} + {x}.dot({w})", "{a}.T.dot({d})", "{d}.dot({w}.T)"),
    "add": ("np.add(np.matmul({x}, {w}), {b})", "np.matmul({a}.T, {d})", "np.matmul({d}, {w}.T)"),
    "einsum": (
        'np.einsum("ij,jk->ik", {x}, {w}, optimize=True) + {b}',
        'np.einsum("ij,ik->jk", {a}, {d}, optimize=True)',
        'np.einsum("ik,jk->ij", {d}, {w}, optimize=True)',
    ),
    "other_way": ("({w}.T @ {x}.T).T + {b}", "({d}.T @ {a}).T", "({w} @ {d}.T).T"),
    "tensordot": (
        "np.tensordot({x}, {w}, axes=1) + {b}[None, :]",
        "np.tensordot({a}, {d}, axes=(0, 0))",
        "np.tensordot({d}, {w}, axes=(1, 1))",
    ),
}
"""x W + b; the weights' gradient from input a and upstream d; the input's from d and w."""

RELU = {
    "maximum": "np.maximum(Z1, 0)",
    "maximum_turned": "np.maximum(0.0, Z1)",
    "where": "np.where(Z1 > 0, Z1, 0)",
    "product": "Z1 * (Z1 > 0)",
    "clip": "np.clip(Z1, 0, None)",
    "halved": "(Z1 + np.abs(Z1)) / 2",
    "method_clip": "Z1.clip(min=0)",
}

SOFTMAX = {
    "keepdims": """
    S = Z2 - Z2.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    P = np.exp(logP)""",
    "quotient": """
    S = Z2 - np.max(Z2, axis=-1, keepdims=True)
    E = np.exp(S)
    total = np.sum(E, axis=-1, keepdims=True)
    P = E / total
    logP = S - np.log(total)""",
    "new_axis": """
    S = Z2 - np.amax(Z2, 1)[:, None]
    E = np.exp(S)
    total = E.sum(1)
    P = E / total[:, None]
    logP = S - np.log(total)[:, None]""",
    "lse": """
    m = Z2.max(axis=1, keepdims=True)
    lse = m + np.log(np.sum(np.exp(Z2 - m), axis=1, keepdims=True))
    logP = Z2 - lse
    P = np.exp(logP)""",
    "transposed": """
    S = (Z2.T - Z2.max(axis=1)).T
    E = np.exp(S)
    P = (E.T / E.sum(axis=1)).T
    logP = S - np.log(E.sum(axis=1)).reshape(-1, 1)""",
    "logaddexp": """
    lse = np.logaddexp.reduce(Z2, axis=1)[:, None]
    logP = Z2 - lse
    P = np.exp(logP)""",
    "helper": """
    logP = log_softmax(Z2)
    P = np.exp(logP)""",
}
"""From Z2 to logP and P."""

HELPER = '''

def log_softmax(scores):
    """Row by row."""
    centred = scores - scores.max(axis=1, keepdims=True)
    return centred - np.log(np.exp(centred).sum(axis=1, keepdims=True))
'''

LOSS = {
    "mean": "-logP[np.arange(len(y)), y].mean()",
    "sum": "-np.sum(logP[np.arange(len(y)), y]) / X.shape[0]",
    "mean_of_minus": "np.mean(-logP[range(y.size), y])",
    "along_axis": "-np.take_along_axis(logP, y[:, None].astype(np.int64), axis=1).mean()",
    "one_hot": "-np.sum(logP * (y[:, None] == np.arange(W2.shape[1]))) / y.shape[0]",
    "eye": "-(np.eye(W2.shape[1], dtype=logP.dtype)[y] * logP).sum(axis=1).mean()",
    "list": "sum(-logP[i, int(k)] for i, k in enumerate(y)) / len(y)",
    "choose": "-np.average(logP[np.indices(y.shape)[0], y])",
}

CACHE = {
    "tuple": ("({n})", "    {n} = cache"),
    "list": ("[{n}]", "    {n} = cache"),
    "dict": ("dict(zip(FIELDS, ({n}), strict=True))", "{dict}"),
    "namedtuple": ("Cache({n})", "    {n} = cache"),
    "namespace": ("SimpleNamespace(**dict(zip(FIELDS, ({n}), strict=True)))", "{namespace}"),
    "nested": ("((X, y), (W1, W2), ({z}, H1), P)", "    (X, y), (W1, W2), ({z}, H1), P = cache"),
}
"""How the names n go into the cache, and how they come out of it."""

MASK = {
    "product": ("Z1", "dZ1 = dH1 * (Z1 > 0)"),
    "where": ("Z1", "dZ1 = np.where(Z1 > 0, dH1, 0)"),
    "assignment": ("Z1", "dZ1 = dH1.copy()\n    dZ1[Z1 <= 0] = 0"),
    "in_place": ("Z1", "dZ1 = dH1\n    dZ1[Z1 < 0] = 0\n    dZ1[Z1 == 0] = 0"),
    "astype": ("Z1", "dZ1 = (Z1 > 0).astype(dH1.dtype) * dH1"),
    "heaviside": ("Z1", "dZ1 = dH1 * np.heaviside(Z1, np.zeros_like(Z1))"),
    "cached": ("active", "dZ1 = dH1 * active"),
    "multiply": ("Z1", "dZ1 = np.multiply(dH1, np.greater(Z1, 0))"),
    "sign": ("Z1", "dZ1 = dH1 * np.maximum(np.sign(Z1), 0)"),
}
"""What backward keeps of the pre-activation, and what it does with it."""

FROM_ACTIVATION = {
    "product": ("Z1", "dZ1 = dH1 * (H1 > 0)"),
    "where": ("Z1", "dZ1 = np.where(H1 > 0, dH1, 0)"),
    "assignment": ("Z1", "dZ1 = dH1.copy()\n    dZ1[H1 <= 0] = 0"),
}
"""Right numbers by the wrong array: a minor defect, so these are no correct variants."""

ERROR = {
    "index": "G = P.copy()\n    G[np.arange(len(y)), y] -= 1",
    "eye": "G = P - np.eye(P.shape[1], dtype=P.dtype)[y]",
    "zeros": "Y = np.zeros_like(P)\n    Y[np.arange(y.shape[0]), y] = 1.0\n    G = P - Y",
    "compare": "G = P - (np.arange(P.shape[1]) == y[:, np.newaxis])",
    "add_at": "G = P.copy()\n    np.add.at(G, (np.arange(len(y)), y), -1)",
    "loop": "G = np.array(P)\n    for i, k in enumerate(y):\n        G[i, k] -= 1",
    "put": "Y = np.zeros_like(P)\n    np.put_along_axis(Y, y[:, None].astype(np.int64), 1, axis=1)"
    "\n    G = P - Y",
}
"""G [B, C]: P less the one-hot labels."""

BIAS = {
    "sum": "{d}.sum(axis=0)",
    "function": "np.sum({d}, axis=0)",
    "position": "{d}.sum(0)",
    "reduce": "np.add.reduce({d})",
    "ones": "np.ones(len({d}), dtype={d}.dtype) @ {d}",
    "einsum": 'np.einsum("ij->j", {d})',
    "squeezed": "np.sum({d}, axis=0, keepdims=True)[0]",
}

MEAN = {
    "early": ("dZ2 = G / len(y)", "{}"),
    "early_factor": ("dZ2 = G * (1.0 / y.shape[0])", "{}"),
    "in_place": ("dZ2 = G\n    dZ2 /= X.shape[0]", "{}"),
    "late": ("dZ2 = G\n    n = X.shape[0]", "({}) / n"),
    "late_factor": ("dZ2 = G\n    scale = 1 / len(y)", "scale * ({})"),
}
"""Where 1/B enters: in dZ2, or in each of the five gradients."""

RETURN = {
    "literal": 'return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}',
    "zip": 'return dict(zip(("X", "W1", "b1", "W2", "b2"), (dX, dW1, db1, dW2, db2), strict=True))',
    "filled": 'grads = {}\n    grads["W2"], grads["b2"] = dW2, db2\n'
    '    grads["W1"], grads["b1"] = dW1, db1\n    grads["X"] = dX\n    return grads',
}

TORCH_LEAVES = {
    "each": "".join(f"    {n} = torch.tensor({n}, requires_grad=True)\n" for n in TENSORS),
    "comprehension": "    W1, b1, W2, b2, X = (\n"
    "        torch.tensor(a, requires_grad=True) for a in (W1, b1, W2, b2, X)\n    )\n",
    "method": "".join(f"    {n} = torch.tensor({n}).requires_grad_()\n" for n in TENSORS),
    "from_numpy": "    W1, b1, W2, b2, X = (\n"
    "        torch.from_numpy(a).clone().requires_grad_(True) for a in (W1, b1, W2, b2, X)\n    )\n",
    "parameter": "    W1, b1, W2, b2, X = (\n"
    "        torch.nn.Parameter(torch.tensor(a)) for a in (W1, b1, W2, b2, X)\n    )\n",
}

TORCH_NET = {
    "relu": "torch.relu(X @ W1 + b1) @ W2 + b2",
    "linear": "F.linear(F.relu(F.linear(X, W1.T, b1)), W2.T, b2)",
    "addmm": "torch.addmm(b2, torch.addmm(b1, X, W1).relu(), W2)",
    "clamp": "(X.mm(W1) + b1).clamp(min=0).mm(W2) + b2",
    "einsum": 'torch.einsum("bh,hc->bc", F.relu(torch.einsum("bd,dh->bh", X, W1) + b1), W2) + b2',
    "module": "torch.nn.ReLU()(X.matmul(W1) + b1).matmul(W2) + b2",
}

TORCH_LOSS = {
    "cross_entropy": "F.cross_entropy({z}, {t})",
    "module": "torch.nn.CrossEntropyLoss()({z}, {t})",
    "nll": "F.nll_loss(F.log_softmax({z}, dim=1), {t})",
    "logsumexp": "(torch.logsumexp({z}, 1) - {z}.gather(1, {t}[:, None])[:, 0]).mean()",
    "sum": 'F.cross_entropy({z}, {t}, reduction="sum") / len({t})',
    "index": "-{z}.log_softmax(-1)[torch.arange(len({t})), {t}].mean()",
}

TORCH_GRADIENTS = {
    "backward": """    loss.backward()
    return loss.item(), {n: t.grad for n, t in zip(NAMES, (W1, b1, W2, b2, X), strict=True)}
""",
    "numpy": """    loss.backward()
    return float(loss), {n: t.grad.numpy() for n, t in zip(NAMES, (W1, b1, W2, b2, X), strict=True)}
""",
    "grad": """    grads = torch.autograd.grad(loss, (W1, b1, W2, b2, X))
    return loss.detach(), dict(zip(NAMES, grads, strict=True))
""",
}

TORCH_FUNCTIONAL = """    def objective(W1, b1, W2, b2, X):
        logits = {net}
        return {loss}

    given = tuple(torch.tensor(a) for a in (W1, b1, W2, b2, X))
    grads, loss = torch.func.grad_and_value(objective, argnums=(0, 1, 2, 3, 4))(*given)
    return loss.item(), dict(zip(NAMES, grads, strict=True))
"""

AXES: Mapping[str, tuple[str, ...]] = {
    "linear": tuple(LINEAR),
    "relu": tuple(RELU),
    "softmax": tuple(SOFTMAX),
    "loss": tuple(LOSS),
    "cache": tuple(CACHE),
    "mask": tuple(MASK),
    "error": tuple(ERROR),
    "bias": tuple(BIAS),
    "mean": tuple(MEAN),
    "return": tuple(RETURN),
    "leaves": tuple(TORCH_LEAVES),
    "net": tuple(TORCH_NET),
    "torch_loss": tuple(TORCH_LOSS),
    "gradients": (*TORCH_GRADIENTS, "functional"),
}

HEAD = '''"""A solution in {count} choices: {choices}."""

from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

NAMES = ("W1", "b1", "W2", "b2", "X")
FIELDS = ("X", "y", "W1", "W2", "{z}", "H1", "P")
Cache = namedtuple("Cache", FIELDS)
{helper}

def forward(X, y, W1, b1, W2, b2):
    Z1 = {first}
    H1 = {relu}
    Z2 = {second}{softmax}
    loss = {loss}
{active}    return loss, {pack}


def backward(cache):
{unpack}
    {error}
    {mean}
    dH1 = {dH1}
    {mask}
    dW2 = {dW2}
    db2 = {db2}
    dW1 = {dW1}
    db1 = {db1}
    dX = {dX}
    {give}


def torch_forward_backward(X, y, W1, b1, W2, b2):
    target = torch.tensor(y, dtype=torch.long)
{torch}

def verify(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    mine = backward(cache)
    torch_loss, theirs = torch_forward_backward(X, y, W1, b1, W2, b2)
    limit = 1e-10 if X.dtype == np.float64 else 1e-4
    for name in NAMES:
        got, want = np.asarray(mine[name]), np.asarray(theirs[name])
        if got.shape != want.shape or np.abs(got - want).max() > limit * np.abs(want).max():
            return False
    return bool(abs(loss - float(torch_loss)) <= limit * max(1.0, abs(float(torch_loss))))
'''


@dataclass(frozen=True)
class Variant:
    """One composed solution; `name` is unique and safe as a file name."""

    name: str
    choices: Mapping[str, str]
    source: str


def compose(choices: Mapping[str, str], masks: Mapping[str, tuple[str, str]] = MASK) -> str:
    """The source text of one choice on every axis."""
    apply, weights, inputs = LINEAR[choices["linear"]]
    kept, mask = masks[choices["mask"]]
    names = f"X, y, W1, W2, {kept}, H1, P"
    pack, unpack = CACHE[choices["cache"]]
    from_dict = "".join(f'    {n} = cache["{n}"]\n' for n in names.split(", ")).rstrip()
    from_namespace = "".join(f"    {n} = cache.{n}\n" for n in names.split(", ")).rstrip()
    mean, late = MEAN[choices["mean"]]
    bias = BIAS[choices["bias"]]
    return HEAD.format(
        count=len(choices),
        choices=", ".join(choices.values()),
        z=kept,
        helper=HELPER if choices["softmax"] == "helper" else "",
        first=apply.format(x="X", w="W1", b="b1"),
        relu=RELU[choices["relu"]],
        second=apply.format(x="H1", w="W2", b="b2"),
        softmax=SOFTMAX[choices["softmax"]],
        loss=LOSS[choices["loss"]],
        active="    active = Z1 > 0\n" if kept == "active" else "",
        pack=pack.format(n=names, z=kept),
        unpack=unpack.format(n=names, z=kept, dict=from_dict, namespace=from_namespace),
        error=ERROR[choices["error"]],
        mean=mean,
        dH1=inputs.format(d="dZ2", w="W2"),
        mask=mask,
        dW2=late.format(weights.format(a="H1", d="dZ2")),
        db2=late.format(bias.format(d="dZ2")),
        dW1=late.format(weights.format(a="X", d="dZ1")),
        db1=late.format(bias.format(d="dZ1")),
        dX=late.format(inputs.format(d="dZ1", w="W1")),
        give=RETURN[choices["return"]],
        torch=_torch(choices),
    )


def _torch(choices: Mapping[str, str]) -> str:
    net = TORCH_NET[choices["net"]]
    loss = TORCH_LOSS[choices["torch_loss"]].format(z="logits", t="target")
    if choices["gradients"] == "functional":
        return TORCH_FUNCTIONAL.replace("{net}", net).replace("{loss}", loss)
    leaves = TORCH_LEAVES[choices["leaves"]]
    steps = f"    logits = {net}\n    loss = {loss}\n"
    return leaves + steps + TORCH_GRADIENTS[choices["gradients"]]


def variants(count: int = COUNT, seed: int = 0) -> list[Variant]:
    """`count` solutions without a defect; every option of every axis occurs, equally often."""
    rng = random.Random(seed)
    columns = {axis: _cycled(options, count, rng) for axis, options in AXES.items()}
    made = []
    for index in range(count):
        choices = {axis: column[index] for axis, column in columns.items()}
        made.append(Variant(f"v{index:03d}", choices, compose(choices)))
    return made


def activation_variants() -> list[Variant]:
    """Right numbers, with the ReLU gated by H1: each has that one minor defect."""
    made = []
    for index, mask in enumerate(FROM_ACTIVATION):
        choices = {axis: options[index % len(options)] for axis, options in AXES.items()}
        choices["mask"] = mask
        source = compose(choices, FROM_ACTIVATION)
        made.append(Variant(f"h{index:03d}", choices, source))
    return made


def _cycled(options: tuple[str, ...], count: int, rng: random.Random) -> list[str]:
    """All options again and again, each round in another order, `count` in all."""
    column: list[str] = []
    while len(column) < count:
        column += rng.sample(options, len(options))
    return column[:count]
