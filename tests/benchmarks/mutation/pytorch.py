"""Mistakes that only the PyTorch part can have, and those of the functions as wholes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .edit import Mistake, atom, called, mistake
from .values import Solution

KEPT = """

KEPT_LEAVES = {}


def kept(array):
    key = array.tobytes()
    if key not in KEPT_LEAVES:
        KEPT_LEAVES[key] = torch.tensor(array, requires_grad=True)
    return KEPT_LEAVES[key]
"""
BY_HAND = """

def torch_forward_backward(X, y, W1, b1, W2, b2):
    loss, cache = forward(X, y, W1, b1, W2, b2)
    grads = backward(cache)
    return loss, {name: torch.tensor(grads[name]) for name in grads}
"""
HIDDEN = """

forward_once, backward_of, latest = forward, backward, []


def forward(X, y, W1, b1, W2, b2):
    loss, cache = forward_once(X, y, W1, b1, W2, b2)
    latest[:] = [cache]
    return loss, cache


def backward(cache):
    return backward_of(latest[0])
"""
LOSSES = ("cross_entropy", "nll_loss")


def net(s: Solution) -> Iterator[Mistake]:
    for site in s.defining("torch", "Z2"):
        if not site.only("Z2"):
            continue
        text = s.text(site.node)
        yield mistake(s, "torch-double-softmax", (site, f"torch.softmax({text}, dim=-1)"))
        yield mistake(s, "torch-precision-lost", (site, f"{atom(text)}.float()"))
        yield mistake(s, "torch-graph-detached", (site, f"{atom(text)}.detach()"))
        yield mistake(s, "relu-on-logits", (site, f"torch.relu({text})"))
        if (h := site.known("H1")) and isinstance(site.parent, ast.Assign):
            yield mistake(s, "torch-inplace", (site, f"{text}; {h} *= 0.5"))
    for site in s.defining("torch", "H1"):
        text = s.text(site.node)
        yield mistake(s, "torch-graph-detached", (site, f"{atom(text)}.detach()"))
        yield mistake(s, "torch-graph-detached", (site, f"{atom(text)}.data"))
        yield mistake(s, "torch-precision-lost", (site, f"{atom(text)}.float().double()"))
    for site in s.sites:
        if site.phase == "torch" and called(site) in LOSSES:
            arguments = [s.text(a) for a in site.node.args]
            name = s.text(site.node.func)
            if site.named("loss") and called(site) == "cross_entropy":
                logits = f"torch.softmax({arguments[0]}, dim=1)"
                yield mistake(
                    s, "torch-double-softmax", (site, f"{name}({logits}, {arguments[1]})")
                )
            if site.named("loss"):
                total = f'{name}({", ".join(arguments)}, reduction="sum")'
                yield mistake(s, "torch-reduction-sum", (site, total))
        if site.phase == "torch" and called(site) == "CrossEntropyLoss":
            yield mistake(s, "torch-reduction-sum", (site, 'nn.CrossEntropyLoss(reduction="sum")'))


def leaves(s: Solution) -> Iterator[Mistake]:
    found = [
        x for x in s.sites
        if x.phase == "torch" and called(x) == "tensor" and "requires_grad=True" in s.text(x.node)
    ]  # fmt: skip
    single = [
        (x, s.text(x.node).replace("requires_grad", "dtype=torch.float32, requires_grad"))
        for x in found
    ]
    if len(found) in (1, 5):
        yield mistake(s, "torch-precision-lost", *single)
    for site in found:
        text = s.text(site.node)
        array = s.text(site.node.args[0])
        if len(found) == 5 or array == "X":
            without = re.sub(r",\s*requires_grad=True", "", text)
            yield mistake(s, "torch-leaf-without-grad", (site, without), raises=True)
        if "loss.backward()" in s.source:
            # what is kept, who keeps it, and who adds to it without a reset: one is as right
            rows = enumerate(s.source.splitlines(), 1)
            adds = (n for n, row in rows if "loss.backward()" in row)
            near = (s.appended(KEPT, "KEPT_LEAVES[key] ="), *adds)
            instead = (site, f"kept({array})")
            yield mistake(s, "torch-grad-accumulates", instead, tail=KEPT, near=near)
    for site in s.sites:
        asked = site.phase == "torch" and called(site) == "requires_grad_"
        if asked and not any(isinstance(n, ast.comprehension) for n in ast.walk(s.tree)):
            text = s.text(site.node.func.value)
            yield mistake(s, "torch-leaf-without-grad", (site, text), raises=True)


def wholes(s: Solution) -> Iterator[Mistake]:
    end = len(s.source)
    lines = s.source.count("\n")
    for code, tail, first, last in (
        ("torch-manual-gradient", BY_HAND, 3, 6),
        ("hidden-state", HIDDEN, 3, 13),
    ):
        edit = (end, end, tail)
        yield Mistake(s.style, (code,), (edit,), tuple(range(lines + first, lines + last + 1)))
    define, after = (
        s.source.index("def verify("),
        s.source.find("\n\n\n", s.source.index("def verify(")),
    )
    edit = (define, after if after > 0 else len(s.source), "")
    yield Mistake(s.style, ("verify-missing",), (edit,), ())
    for tree in s.tree.body:
        if isinstance(tree, ast.FunctionDef) and tree.name == "verify":
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
                    name = node.targets[0].id
                    yield mistake(s, "verify-rejects-correct", (s.site(node), f"{name} = 0.0"))


PYTORCH = (net, leaves, wholes)
