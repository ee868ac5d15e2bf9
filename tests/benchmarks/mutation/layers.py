"""Mistakes in the backward: the ReLU's gate, the biases' gradients, and what is returned."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .backward import backward, both
from .edit import Mistake, atom, called, mistake
from .values import Site, Solution

ACCUMULATED = """

TOTALS = {}


def accumulated(grads):
    for name, gradient in grads.items():
        key = name, gradient.shape
        TOTALS[key] = TOTALS.get(key, 0) + gradient
    return {name: TOTALS[name, gradient.shape] for name, gradient in grads.items()}
"""


def gate(s: Solution) -> Iterator[Mistake]:
    for site in s.defining("backward", *both("dZ1")):
        if (inner := s.inside(site.node, *both("dH1"))) is None:
            continue
        d = s.text(inner)
        yield mistake(s, "relu-mask-missing", (site, d))
        for other in ("H1", "Z1"):
            if name := site.known(other):
                factor = name if other == "H1" else f"np.maximum({name}, 0)"
                yield mistake(s, "relu-mask-is-activation", (site, f"{atom(d)} * {factor}"))
        if z := site.known("Z1"):
            slopes = (f"(1 - np.tanh({z}) ** 2)", f"np.exp(-{z}) / (1 + np.exp(-{z})) ** 2")
            for slope in slopes:
                yield mistake(s, "relu-mask-is-activation", (site, f"{atom(d)} * {slope}"))
    for site in backward(s):
        yield from _compared(s, site)
        name = isinstance(site.node, ast.Name) and site.only(*both("dZ1"))
        if name and (d := site.known(*both("dH1"))):
            yield mistake(s, "relu-mask-missing", (site, d))
        mask = isinstance(site.node, ast.Name) and site.named("mask")
        if mask and isinstance(site.parent, (ast.BinOp, ast.Call)):
            yield mistake(s, "relu-mask-inverted", (site, f"~{s.text(site.node)}"))
            if d := site.known(*both("dH1")):
                yield mistake(s, "relu-mask-from-gradient", (site, f"{d} > 0"))
            if h := site.known("H1"):
                yield mistake(s, "relu-mask-from-activation", (site, f"{h} > 0"), shows=False)
    for site in s.sites:
        node = site.node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            gated = s.site(node.targets[0].slice)
            if gated.phase == "backward" and gated.named("unmask"):
                yield mistake(s, "relu-mask-missing", (site, "pass"))


def _compared(s: Solution, site: Site) -> Iterator[Mistake]:
    node = site.node
    if not isinstance(node, ast.Compare) or not site.named("mask", "unmask"):
        return
    left, zero = s.text(node.left), s.text(node.comparators[0])
    passes = site.named("mask")
    for op in ("<", "<=") if passes else (">", ">="):
        yield mistake(s, "relu-mask-inverted", (site, f"{left} {op} {zero}"))
    yield mistake(s, "relu-zero-convention", (site, f"{left} {'>=' if passes else '<'} {zero}"))
    target = s.text(site.parent.value) if isinstance(site.parent, ast.Subscript) else ""
    op = ">" if passes else "<="
    if d := target or site.known(*both("dH1")):
        yield mistake(s, "relu-mask-from-gradient", (site, f"{d} {op} {zero}"))
    if h := site.known("H1"):
        yield mistake(s, "relu-mask-from-activation", (site, f"{h} {op} {zero}"), shows=False)


def bias(s: Solution) -> Iterator[Mistake]:
    for site in backward(s):
        if not isinstance(site.node, ast.Call) or not site.named(*both("db1", "db2")):
            continue
        if called(site) not in ("sum", "reduce") and "bias" not in called(site):
            continue
        inner = s.inside(site.node, *both("dZ1", "dZ2"))
        if inner is None or isinstance(site.parent, ast.Subscript):
            continue
        d = s.text(inner)
        method = site.node.func.value is inner
        late = site.role.startswith("B*")
        averaged = ("bias-grad-mean", "grad-double-batch-mean") if late else "bias-grad-mean"
        yield mistake(
            s, averaged, (site, f"{d}.mean(axis=0)" if method else f"np.mean({d}, axis=0)")
        )
        yield mistake(
            s,
            "bias-grad-wrong-axis",
            (site, f"{d}.sum(axis=1)" if method else f"np.sum({d}, axis=1)"),
        )
        yield mistake(
            s, "bias-grad-over-everything", (site, f"{d}.sum()" if method else f"np.sum({d})")
        )
        yield mistake(s, "bias-grad-keepdims", (site, f"np.sum({d}, axis=0, keepdims=True)"))
        yield mistake(s, "bias-grad-not-summed", (site, d))


def result(s: Solution) -> Iterator[Mistake]:
    for site in backward(s):
        node = site.node
        if isinstance(node, ast.Dict) and isinstance(site.parent, ast.Return):
            whole = s.text(node)
            adds = (s.appended(ACCUMULATED, "TOTALS[key] ="),)  # the line that adds is as right
            instead = (site, f"accumulated({whole})")
            yield mistake(s, "grad-accumulates", instead, tail=ACCUMULATED, near=adds)
            for key, value in zip(node.keys, node.values, strict=True):
                yield mistake(s, "grad-missing", (s.site(value), "None"))
                start, end = s.span(key)[0], s.span(value)[1]
                comma = re.match(r",\s?", s.source[end:])
                edit = (
                    start,
                    end + (comma.end() if comma and "\n" not in comma.group() else 0),
                    "",
                )
                if comma is None or "\n" in comma.group():
                    continue
                lines = (value.lineno,)
                yield Mistake(s.style, ("grad-missing",), (edit,), lines)
    for site in s.sites:
        node = site.node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key = node.targets[0].slice
            value = s.site(node.value)
            if (
                isinstance(key, ast.Constant)
                and value.phase == "backward"
                and value.named("dX", "db1")
            ):
                yield mistake(s, "grad-missing", (site, "pass"))


LAYERS = (gate, bias, result)
