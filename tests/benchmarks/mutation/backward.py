"""Mistakes in the backward: the factor 1/B, signs and terms, and dZ2."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .edit import Mistake, atom, batch_size, called, is_atom, mistake
from .values import Site, Solution

GRADIENTS = ("dZ2", "dH1", "dZ1", "dW1", "db1", "dW2", "db2", "dX")
WEIGHTS = {"dW1": "W1", "dW2": "W2", "dX": "X"}


def both(*roles: str) -> tuple[str, ...]:
    """The roles, and the same before the mean."""
    return (*roles, *(f"B*{r}" for r in roles))


def backward(s: Solution) -> list[Site]:
    return [x for x in s.sites if x.phase == "backward"]


def mean(s: Solution) -> Iterator[Mistake]:
    places = []
    for site in backward(s):
        node = site.node
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and s.site(node.right).named("B")
        ):
            kept = _kept(s, site)
            places.append((site, kept))
            if site.named(*GRADIENTS):
                nothing = kept.endswith(".copy()")  # a statement that does nothing any more
                near = (
                    s.beside(site.parent) if nothing and isinstance(site.parent, ast.stmt) else ()
                )
                yield mistake(s, "grad-missing-batch-mean", (site, kept), near=near)
                yield from _wrong_size(s, s.site(node.right))
    for site in s.sites:
        node = site.node
        if isinstance(node, ast.AugAssign) and s.site(node.value).phase == "backward":
            size = s.site(node.value)
            if isinstance(node.op, ast.Div) and size.named("B"):
                places.append((site, "pass"))
                target = s.text(node.target)
                yield mistake(s, "grad-missing-batch-mean", (site, "pass"))
                yield from _wrong_size(s, size)
                yield mistake(
                    s, "grad-double-batch-mean", (site, f"{s.text(node)}; {s.text(node)}")
                )
                yield mistake(s, "grad-sign", (site, f"{s.text(node)}; {target} *= -1"))
                yield from _after(s, site, target)
            elif isinstance(node.op, ast.Mult) and size.named("1/B"):
                places.append((site, "pass"))
                yield mistake(s, "grad-missing-batch-mean", (site, "pass"))
                yield mistake(
                    s, "grad-double-batch-mean", (site, f"{s.text(node)}; {s.text(node)}")
                )
                yield mistake(s, "grad-sign", (size, f"-{s.text(node.value)}"))
                yield from _after(s, site, s.text(node.target))
    places = [
        (x, t)
        for x, t in places
        if not any(x.node is c for y, _ in places if y is not x for c in ast.walk(y.node))
    ]
    if len(places) > 1:
        first = min(s.lines("backward", "B*dZ2"), default=0)
        yield mistake(s, "grad-missing-batch-mean", *places, near=(first - 1, first))


def _kept(s: Solution, site: Site) -> str:
    """What is left of `x / B` without its division."""
    left = s.text(site.node.left)
    if s.site(site.node.left).role == "" and left == "1":
        return left
    return f"{left}.copy()" if is_atom(left) and isinstance(site.parent, ast.Assign) else left


def _wrong_size(s: Solution, size: Site) -> Iterator[Mistake]:
    if P := size.known("P", "dZ2", "B*dZ2", "Y"):
        yield mistake(s, "grad-mean-over-classes", (size, f"{P}.shape[1]"))
        yield mistake(s, "grad-mean-over-classes", (size, f"{P}.size"))
    yield mistake(s, "hard-coded-size", (size, "64"))


def _after(s: Solution, site: Site, target: str) -> Iterator[Mistake]:
    """More done to dZ2 behind the statement that finishes it."""
    scope = s.site(site.node.value)
    if P := scope.known("P"):
        for text in (f"{P} * (1 - {P})", P):
            more = f"{s.text(site.node)}; {target} *= {text}"
            yield mistake(s, "grad-softmax-derivative", (site, more))


def factors(s: Solution) -> Iterator[Mistake]:
    for site in s.defining("backward", *both(*GRADIENTS)):
        text, late = s.text(site.node), site.role.startswith("B*")
        yield mistake(s, "grad-sign", (site, f"-{atom(text)}"))
        size = batch_size(site)
        if size and not late:
            codes = ("grad-double-batch-mean", "bias-grad-mean")
            bias = site.named("db1", "db2")
            yield mistake(s, codes if bias else codes[0], (site, f"{_factor(text)} / {size}"))
        if site.named(*WEIGHTS) or (late and site.named(*both(*WEIGHTS))):
            yield from _products(s, site, text)
        if site.named(*both("dH1")):
            if w := site.known("W2"):
                yield mistake(
                    s, "grad-unexplained", (site, f"{_factor(text)} / np.linalg.norm({w})")
                )
            yield from _stepped(s, site, "W2", "dW2")
        if site.named(*both("dX")):
            yield from _stepped(s, site, "W1", "dW1")


def _factor(text: str) -> str:
    return text if is_atom(text) or re.fullmatch(r"[^-+<>=&|]*", text) else f"({text})"


def _products(s: Solution, site: Site, text: str) -> Iterator[Mistake]:
    yield mistake(s, "grad-transposed", (site, f"{atom(text)}.T"))
    yield mistake(s, "grad-unexplained", (site, f"np.abs({text})"))
    name = next((r for r in site.roles if r.removeprefix("B*") in WEIGHTS), "").removeprefix("B*")
    if not name or site.role.startswith("B*"):
        return
    if w := site.known(WEIGHTS[name]):
        yield mistake(s, "grad-extra-term", (site, f"{text} + 1e-3 * {w}"))
        yield mistake(s, "grad-extra-term", (site, f"{text} + 2 * 0.05 * {w}"))
    if (
        name == "dW2"
        and (inner := s.inside(site.node, "H1")) is not None
        and (z := site.known("Z1"))
    ):
        yield mistake(s, "dw2-from-preactivation", (s.site(inner), z))


def _stepped(s: Solution, site: Site, weight: str, gradient: str) -> Iterator[Mistake]:
    inner, g = s.inside(site.node, weight), site.known(gradient)
    if inner is not None and g:
        text = f"({s.text(inner)} - 0.1 * {g})"
        yield mistake(s, "weights-updated-early", (s.site(inner), text))


def labels(s: Solution) -> Iterator[Mistake]:
    for site in backward(s):
        node, text = site.node, s.text(site.node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and site.named("B*dZ2"):
            yield from _error(s, site, text)
        elif called(site) == "at" and "add" in text:
            yield mistake(s, "grad-onehot-missing", (s.site(site.parent), "pass"))
        if isinstance(node, ast.BinOp) and site.named("dZ2") and (P := site.known("P")):
            yield mistake(s, "grad-softmax-derivative", (site, f"{text} * {P} * (1 - {P})"))
        if called(site) == "copy" and site.named("P"):
            yield mistake(s, "mutates-cache", (site, s.text(node.func.value)))
    for site in s.sites:
        node = site.node
        taken = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)
        if taken and isinstance(node.target, ast.Subscript):
            yield mistake(s, "grad-onehot-missing", (site, "pass"))
    for site in s.sites:
        kept = site.phase == "forward" and site.only("P") and _packed(s, site)
        if kept and (z := site.known("Z2", "S")):
            read = s.lines("backward", "P")
            yield mistake(s, "grad-from-logits", (site, z), near=read)


def _error(s: Solution, site: Site, text: str) -> Iterator[Mistake]:
    """P less the labels, gone wrong."""
    p, labels = s.text(site.node.left), s.text(site.node.right)
    if not s.site(site.node.left).named("P"):
        return
    alone = f"{p}.copy()" if isinstance(site.parent, ast.Assign) else p
    yield mistake(s, "grad-onehot-missing", (site, alone))
    yield mistake(s, "grad-sign", (site, f"{labels} - {p}"))
    jacobian = f"{p} * ({text} - (({text}) * {p}).sum(axis=1, keepdims=True))"
    for wrong in (f"{atom(text)} * {p} * (1 - {p})", f"{atom(text)} * {p}", jacobian):
        yield mistake(s, "grad-softmax-derivative", (site, wrong))


def _packed(s: Solution, site: Site) -> bool:
    """Whether an expression of the forward goes into the cache as it is."""
    held = isinstance(site.parent, (ast.Tuple, ast.List, ast.Dict, ast.keyword, ast.Call))
    return held and "np." not in s.text(getattr(site.parent, "func", site.node))


LOSS_SIDE = (mean, factors, labels)
