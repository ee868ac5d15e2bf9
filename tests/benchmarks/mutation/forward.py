"""Mistakes in the forward, and the same ones in the PyTorch part."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .edit import Mistake, atom, batch_size, called, mistake, with_axis
from .values import Site, Solution

SOFTMAX = """

def softmax_rows(scores):
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""
INSTEAD = {
    "forward": (
        "np.where({z} > 0, {z}, 0.01 * {z})", "np.tanh({z})", "1 / (1 + np.exp(-{z}))",
        "np.abs({z})", "np.maximum({z}, 0.1 * {z})", "np.log1p(np.exp({z}))", "np.maximum({z}, 0) ** 2",
        "np.minimum({z}, 0)", "np.where({z} > 0, {z}, np.exp(np.minimum({z}, 0)) - 1)", "np.clip({z}, 0, 1)",
    ),
    "torch": (
        "torch.nn.functional.leaky_relu({z}, 0.01)", "torch.tanh({z})", "torch.sigmoid({z})",
        "torch.abs({z})", "torch.nn.functional.softplus({z})", "torch.nn.functional.gelu({z})",
    ),
}  # fmt: skip
SIDES = ("forward", "torch")
PICKED = ("picked", "Sy", "Z2y")


def biases(s: Solution) -> Iterator[Mistake]:
    for site in (x for x in s.sites if x.phase in SIDES and x.named("Z1", "Z2")):
        node = site.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = s.site(node.left), s.site(node.right)
            product, bias = (left, right) if right.named("b1", "b2") else (right, left)
            if product.named("X@W1", "H1@W2") and bias.named("b1", "b2"):
                yield mistake(s, "bias-missing", (site, s.text(product.node)))
                plain = bias.node.value if isinstance(bias.node, ast.Subscript) else bias.node
                text = f"{s.text(plain)}[:, None]"
                yield mistake(s, "bias-wrong-axis", (bias, text), raises=True)
        elif called(site) == "linear" and len(node.args) == 3:
            x, w, _ = (s.text(a) for a in node.args)
            yield mistake(s, "bias-missing", (site, f"{s.text(node.func)}({x}, {w})"))
        elif called(site) == "addmm":
            _, x, w = (atom(s.text(a)) for a in node.args)
            yield mistake(s, "bias-missing", (site, f"{x} @ {w}"))


def activation(s: Solution) -> Iterator[Mistake]:
    for phase in SIDES:
        for site in s.defining(phase, "H1"):
            if (inner := s.inside(site.node, "Z1")) is None:
                continue
            z = s.text(inner)
            yield mistake(s, "relu-missing", (site, z))
            for text in INSTEAD[phase]:
                yield mistake(s, "relu-replaced", (site, text.format(z=atom(z))))
    masks = list(s.defining("backward", "mask")) or [
        x for x in s.sites if x.phase == "backward" and isinstance(x.node, ast.Compare) and x.named("mask")
    ]  # fmt: skip
    for site in s.defining("forward", "H1"):
        inner = s.inside(site.node, "Z1")
        for mask in masks:
            if inner is None or not isinstance(mask.node, ast.Compare) or not _times(s, mask):
                continue
            z, own = s.text(inner), s.text(mask.node.left)
            for there, back in (
                (f"np.tanh({z})", f"1 - np.tanh({own}) ** 2"),
                (f"np.where({z} > 0, {z}, 0.01 * {z})", f"np.where({own} > 0, 1, 0.01)"),
                (f"np.abs({z})", f"np.sign({own})"),
                (f"1 / (1 + np.exp(-{atom(z)}))", f"np.exp(-{own}) / (1 + np.exp(-{own})) ** 2"),
            ):
                yield mistake(s, "relu-replaced", (site, there), (mask, back))
            for cap in (1, 6):
                both = (site, f"np.clip({z}, 0, {cap})"), (mask, f"({own} > 0) & ({own} < {cap})")
                yield mistake(s, "relu-clipped", *both)


def _times(s: Solution, mask: Site) -> bool:
    product = isinstance(mask.parent, ast.BinOp) and isinstance(mask.parent.op, ast.Mult)
    return product or (
        isinstance(mask.parent, ast.Call) and called(s.site(mask.parent)) == "multiply"
    )


def logits(s: Solution) -> Iterator[Mistake]:
    for site in s.defining("forward", "Z2"):
        if not site.only("Z2"):
            continue
        text, twice = s.text(site.node), s.lines("forward", "E", "P")
        yield mistake(s, "relu-on-logits", (site, f"np.maximum({text}, 0)"))
        instead = (site, f"softmax_rows({text})")
        yield mistake(s, "double-softmax", instead, tail=SOFTMAX, near=twice)


def softmax(s: Solution) -> Iterator[Mistake]:
    forward = [x for x in s.sites if x.phase == "forward"]
    near = s.lines("forward", "E")
    for site in forward:
        node = site.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and site.named("S"):
            text = s.text(node.left)
            yield mistake(s, "softmax-no-max-shift", (site, text), near=near, ordinary=False)
        column = isinstance(node, ast.Subscript) and re.search(
            r"\[:, (None|np.newaxis)\]$", s.text(node)
        )
        if column and site.named("total", "max", "lse", "log total"):
            yield mistake(s, "softmax-wrong-broadcast", (site, s.text(node.value)), raises=True)
        if not isinstance(node, ast.Call) or called(site) not in ("max", "amax", "sum"):
            continue
        text = s.text(node)
        if site.named("max"):
            yield mistake(
                s, "softmax-no-max-shift", (site, f"0 * {text}"), near=near, ordinary=False
            )
            alone = with_axis(text, "")
            if alone != text:
                yield mistake(s, "softmax-global-max", (site, alone), ordinary=False)
            same_shape = f"np.full_like({text}, {alone})"
            yield mistake(s, "softmax-global-max", (site, same_shape), ordinary=False)
        if site.named("max", "total") and "keepdims" in text:
            broadcast = re.sub(r",?\s*keepdims=True", "", text)
            yield mistake(s, "softmax-wrong-broadcast", (site, broadcast), raises=True)
        if site.named("total") and (other := with_axis(text, "0")) != text:
            yield mistake(s, "softmax-wrong-axis", (site, other))
            tops = [x for x in forward if called(x) in ("max", "amax") and x.named("max")]
            tops = [x for x in tops if x.function == site.function]
            both = [(x, with_axis(s.text(x.node), "0")) for x in tops]
            yield mistake(s, "softmax-wrong-axis", *both, (site, other))


def classes(s: Solution) -> Iterator[Mistake]:
    for site in s.sites:
        y = site.known("y")
        if site.phase not in ("forward", "backward") or not site.named("C") or not y:
            continue
        if isinstance(site.parent, (ast.Call, ast.Tuple)) and not isinstance(site.node, ast.Call):
            yield mistake(s, "class-count-from-labels", (site, f"{y}.max() + 1"), ordinary=False)


def loss(s: Solution) -> Iterator[Mistake]:
    for site in s.sites:
        if site.phase in SIDES:
            yield from _loss_at(s, site)
    outer = [x for x in s.defining("forward", "loss") if x.function == "forward"]
    for site in outer:
        text = s.text(site.node)
        yield mistake(s, "loss-not-scalar", (site, f"np.array([{text}])"))
        yield mistake(s, "loss-log-base", (site, f"({text}) / np.log(2)"))
        yield mistake(s, "loss-log-base", (site, f"({text}) / np.log(10)"))
        yield mistake(s, "nondeterministic", (site, f"{text} + 1e-3 * np.random.rand()"))
        yield mistake(
            s, "hard-coded-size", (site, f"({text}) * {batch_size(site) or 'len(y)'} / 64")
        )
        yield mistake(s, "loss-unexplained", (site, f"np.sqrt({text})"))
        for term in ("1e-3 * np.sum(W1**2)", "0.5 * 0.01 * (np.sum(W1 * W1) + np.sum(W2 * W2))",
                     "1e-2 * np.abs(W2).sum()", "0.1 * np.linalg.norm(W1)"):  # fmt: skip
            yield mistake(s, "loss-extra-term", (site, f"{text} + {term}"))


def _loss_at(s: Solution, site: Site) -> Iterator[Mistake]:
    node, text = site.node, s.text(site.node)
    small = ("losses", "loss", "B*loss")
    numpy = site.phase == "forward"
    total = "loss-sum-not-mean" if numpy else "torch-reduction-sum"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and site.named(*small):
        yield mistake(s, "loss-sign", (site, s.text(node.operand)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and site.named("losses"):
        turned = f"{s.text(node.right)} - {atom(s.text(node.left))}"
        means = s.lines("forward", "loss", "B*loss")  # a minus there mends it as well
        yield mistake(s, "loss-sign", (site, turned), near=means)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and site.named("loss", "-loss"):
        summed_at = tuple(
            n for n, row in enumerate(s.source.splitlines(), 1) if 'reduction="sum"' in row
        )
        yield mistake(s, total, (site, s.text(node.left)), near=summed_at)
        if numpy and (matrix := site.known("P", "logP", "S", "Z2")):
            size = s.site(node.right)
            yield mistake(s, "loss-mean-over-elements", (size, f"{matrix}.size"))
    if called(site) in ("mean", "average") and site.named("loss", "-loss"):
        yield mistake(s, total, (site, re.sub(r"\b(mean|average)\(", "sum(", text)))
        if numpy and (matrix := site.known("P", "logP", "S", "Z2")):
            summed = re.sub(r"\b(mean|average)\(", "sum(", text)
            yield mistake(s, "loss-mean-over-elements", (site, f"{summed} / {matrix}.size"))
        if numpy:
            operand = s.text(node.args[0]) if node.args else s.text(node.func.value)
            made = s.lines("forward", "losses")  # one that averages there mends it as well
            yield mistake(s, "loss-not-scalar", (site, operand), near=made)
    if numpy and called(site) == "log" and site.named("log total"):
        for name in ("log2", "log10"):
            yield mistake(s, "loss-log-base", (site, re.sub(r"\blog\(", f"{name}(", text, count=1)))
    if isinstance(node, ast.Subscript) and site.role in PICKED and _rows(node):
        yield from _picked(s, site, numpy)


def _rows(node: ast.Subscript) -> bool:
    return isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2


def _picked(s: Solution, site: Site, numpy: bool) -> Iterator[Mistake]:
    base, (rows, y) = s.text(site.node.value), (s.text(e) for e in site.node.slice.elts)
    yield mistake(s, "loss-wrong-gather", (site, f"{base}[:, {y}]"))
    yield mistake(s, "loss-wrong-gather", (site, f"{base}[{rows}, 0]"))
    if not numpy or not site.named("picked"):
        return
    P = site.known("P")
    p = f"{P}[{rows}, {y}]" if P else f"np.exp({s.text(site.node)})"
    yield mistake(s, "loss-log-underflow", (site, f"np.log({p})"), ordinary=False)
    for guarded in (f"{p} + 1e-12", f"{p} + 1e-8", f"np.clip({p}, 1e-12, 1.0)", f"np.maximum({p}, 1e-15)",
                    f"np.clip({p}, 1e-7, 1 - 1e-7)"):  # fmt: skip
        yield mistake(s, "loss-log-epsilon", (site, f"np.log({guarded})"))


FORWARD = (biases, activation, logits, softmax, classes, loss)
