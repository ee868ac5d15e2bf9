"""Edits that need no tensor: something is dropped, turned round or put the other way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from grader.defects.edits.blame import Blame
from grader.source.edits import Edit, Site
from grader.source.program import last_name

SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
REDUCTIONS = ("sum", "mean", "max", "amax", "average", "logsumexp", "min", "argmax")
AXES = {"0": "1", "1": "0", "-1": "0", "-2": "1"}
OPPOSITE: tuple[tuple[type[ast.cmpop], tuple[str, ...]], ...] = (
    (ast.Gt, ("<=", "<")),
    (ast.GtE, (">", "<=", "<")),
    (ast.Lt, (">", "<=", ">=")),
    (ast.LtE, (">", "<", ">=")),
)


def keep_part(b: Blame) -> Iterator[Edit]:
    """Replace an expression by a part of itself: `-x` by `x`, `x * y` by `x`, `x.T` by `x`."""
    for depth in (1, 2, 3):
        for site in b.sites:
            yield from (b.text.replaced(site, b.source(n)) for n in _below(site.node, depth))


def keep_right_part(b: Blame) -> Iterator[Edit]:
    """As `keep_part`, where the part is a tensor that a right answer comes by."""
    for site in b.sites:
        for inner in b.sites:
            start, end = b.text.span(site.node)
            first, last = b.text.span(inner.node)
            within = start <= first and last <= end and inner is not site
            if within and not b.scopes.suspect(inner) and not _alike(b, site, inner):
                yield b.text.replaced(site, b.source(inner.node))


def _alike(b: Blame, one: Site, other: Site) -> bool:
    """Whether two expressions have the same value."""
    first, second = b.scopes.reading(one), b.scopes.reading(other)
    return first is not None and second is not None and first.key == second.key


def _below(node: ast.AST, depth: int) -> Iterator[ast.expr]:
    """The operands, arguments and owners of an expression, so many levels down."""
    match node:
        case ast.BinOp():
            found: list[ast.expr] = [node.left, node.right]
        case ast.UnaryOp():
            found = [node.operand]
        case ast.Call(func=ast.Attribute() as func):
            found = [*([] if _is_plain(func.value) else [func.value]), *node.args]
        case ast.Call():
            found = list(node.args)
        case ast.Attribute() | ast.Subscript():
            found = [node.value]
        case ast.List() | ast.Tuple():
            found = list(node.elts)
        case ast.IfExp():
            found = [node.body, node.orelse]
        case _:
            found = []
    found = [n for n in found if not isinstance(n, ast.Constant | ast.Starred)]
    if depth == 1:
        yield from found
    else:
        for inner in found:
            yield from _below(inner, depth - 1)


def _is_plain(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "torch", "F", "nn")


def drop(b: Blame) -> Iterator[Edit]:
    """Drop a statement."""
    for statement in b.statements:
        if not isinstance(statement, ast.Return) and ".backward()" not in b.source(statement):
            yield b.text.removed(statement)


def negate(b: Blame) -> Iterator[Edit]:
    """Turn the sign of an expression, or of what a statement adds."""
    for site in b.suspects:
        node = site.node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield b.text.replaced(site, b.source(node.operand))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            yield b.text.replaced(site, f"{b.source(node.right)} - {b.operand(node.left)}")
    for statement in b.statements:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub):
            was, new = ("+=", "-=") if isinstance(statement.op, ast.Add) else ("-=", "+=")
            yield _within(b, statement, was, new, statement.target)
    for site in b.suspects:
        yield b.text.replaced(site, f"-{b.operand(site.node)}")


def _within(b: Blame, node: ast.AST, was: str, new: str, after: ast.AST) -> Edit:
    """The first `was` in a node behind a part of it, replaced."""
    _, start = b.text.span(after)
    at = b.text.data.index(was.encode(), start, b.text.span(node)[1])
    return Edit(at, at + len(was), new)


def turn_comparison(b: Blame) -> Iterator[Edit]:
    """Turn a comparison."""
    for site in b.sites:
        node = site.node
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            signs = next((s for op, s in OPPOSITE if type(node.ops[0]) is op), ())
            for sign in signs:
                left, right = b.source(node.left), b.source(node.comparators[0])
                yield b.text.replaced(site, f"{left} {sign} {right}")


def change_reduction(b: Blame) -> Iterator[Edit]:
    """Reduce along another axis, keep the axis or not, sum in place of averaging."""
    calls = [
        s for s in b.sites if isinstance(s.node, ast.Call) and last_name(s.node.func) in REDUCTIONS
    ]
    for change in (_turned, _with_axis, _kept, _unkept, _summed, _averaged):
        for site in calls:
            before = b.source(site.node)
            after = change(before)
            if after and after != before:
                yield b.text.replaced(site, after)
    for site in calls:
        after = _kept(_with_axis(b.source(site.node)))
        if after:
            yield b.text.replaced(site, after)


AXIS = re.compile(r"((?:axis|dim)\s*=\s*)(-?[012])(?=[^()]{0,200}\)$)")
POSITION = re.compile(r"([(,]\s*)(-?[012])(?=\s*[,)][^()]{0,200}$|\)$)")


def _turned(call: str) -> str:
    for pattern in (AXIS, POSITION):
        if found := pattern.search(call):
            return call[: found.start()] + found[1] + AXES.get(found[2], "0") + call[found.end() :]
    return ""


def _with_axis(call: str, axis: str = "1") -> str:
    if AXIS.search(call) or POSITION.search(call):
        return call
    return f"{call[:-1]}{'' if call.endswith('()') else ', '}axis={axis})"


def _kept(call: str) -> str:
    return "" if "keepdims" in call else f"{call[:-1]}, keepdims=True)".replace("(, ", "(")


def _unkept(call: str) -> str:
    return re.sub(r",\s*keepdims\s*=\s*True(?=[^()]{0,200}\)$)", "", call)


def _summed(call: str) -> str:
    return re.sub(r"(mean|average)\(", "sum(", call, count=1)


def _averaged(call: str) -> str:
    return re.sub(r"\bsum\(", "mean(", call, count=1)


def sum_over_batch(b: Blame) -> Iterator[Edit]:
    """Sum over the batch what is summed over everything, or is not summed."""
    for site in b.suspects:
        node = site.node
        if isinstance(node, ast.Call) and last_name(node.func) in REDUCTIONS:
            yield b.text.replaced(site, _with_axis(_unkept(b.source(node)), "0"))
            yield b.text.replaced(site, _with_axis(_unkept(_summed(b.source(node))), "0"))
    for site in b.sites:
        yield b.text.replaced(site, f"{b.operand(site.node)}.sum(axis=0)")


def average(b: Blame) -> Iterator[Edit]:
    """Take the mean of what is one number an example."""
    for site in b.suspects:
        yield b.text.replaced(site, f"{b.operand(site.node)}.mean()")


def transpose(b: Blame) -> Iterator[Edit]:
    """Turn a matrix, or turn it no more."""
    for site in b.sites:
        node = site.node
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield b.text.replaced(site, b.source(node.value))
    for site in b.suspects:
        yield b.text.replaced(site, f"{b.operand(site.node)}.T")
    for site in b.sites:
        node = site.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield b.text.replaced(site, f"{b.operand(node.right)} @ {b.operand(node.left)}")


def make_column(b: Blame) -> Iterator[Edit]:
    """Make a column of a vector over the batch."""
    for site in b.sites:
        yield b.text.replaced(site, f"{b.operand(site.node)}[:, None]")


def flatten(b: Blame) -> Iterator[Edit]:
    """Drop an axis of length one."""
    for site in b.suspects:
        yield b.text.replaced(site, f"{b.operand(site.node)}[0]")
        yield b.text.replaced(site, f"{b.operand(site.node)}.ravel()")


def use_natural_log(b: Blame) -> Iterator[Edit]:
    """Replace log2 and log10 by log."""
    for site in b.sites:
        if isinstance(site.node, ast.Call) and last_name(site.node.func) in (
            "log2",
            "log10",
            "log1p",
        ):
            text = b.source(site.node)
            yield b.text.replaced(site, re.sub(r"\blog(2|10|1p)\(", "log(", text, count=1))


def turn_all_axes(b: Blame) -> Iterator[Edit]:
    """Turn every reduction of the function that runs along the batch to the classes."""
    for statement in b.statements[:1]:
        inside = [n for n, f in b.text.functions.items() if f == b.text.functions[statement]]
        calls = [n for n in inside if isinstance(n, ast.Call) and last_name(n.func) in REDUCTIONS]
        changes = []
        for call in calls:
            text = b.source(call)
            if re.search(r"(axis|dim)\s*=\s*0|[(,]\s*0\s*[,)]", text) and (new := _turned(text)):
                changes.append((b.text.span(call), new))
        if len(changes) > 1:
            yield _joined(b, changes)


def _joined(b: Blame, changes: list[tuple[tuple[int, int], str]]) -> Edit:
    """Several replacements as one edit from the first to the last; inner ones give way."""
    changes.sort()
    first = changes[0][0][0]
    text, at = "", first
    for (start, end), new in changes:
        if start >= at:
            text += b.text.data[at:start].decode() + new
            at = end
    return Edit(first, at, text)


def change_keywords(b: Blame) -> Iterator[Edit]:
    """Drop a keyword argument (`reduction="sum"`), or add one (`requires_grad=True`)."""
    for site in b.sites:
        node = site.node
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            pieces = [b.source(a) for a in node.args]
            pieces += [b.source(k) for k in node.keywords if k is not keyword]
            yield b.text.replaced(site, f"{b.source(node.func)}({', '.join(pieces)})")
    for site in b.sites:
        node = site.node
        if isinstance(node, ast.Call) and b.torch:
            if last_name(node.func) in ("tensor", "as_tensor") and "requires_grad" not in b.source(
                node
            ):
                tail = ", requires_grad=True)"
                yield b.text.replaced(site, b.source(node)[:-1] + tail)
            if last_name(node.func) in ("from_numpy", "as_tensor", "clone", "double"):
                yield b.text.replaced(site, f"{b.source(node)}.requires_grad_()")


def widen(b: Blame) -> Iterator[Edit]:
    """Replace float32 by float64."""
    for site in b.sites:
        text = b.source(site.node)
        if re.search(r"\bfloat32\b|\bfloat\(\)|\bhalf\(\)", text):
            new = text.replace("float32", "float64").replace(".float()", ".double()")
            yield b.text.replaced(site, new)


def copy(b: Blame) -> Iterator[Edit]:
    """Change a copy, or a new array, in place of what is changed in place."""
    for site in b.sites:
        if isinstance(site.node, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            yield b.text.replaced(site, f"{b.operand(site.node)}.copy()")
    for statement in b.statements:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            name, sign = statement.target.id, SIGNS.get(type(statement.op), "")
            if sign:
                right = b.operand(statement.value)
                start, end = b.text.span(statement)
                yield Edit(start, end, f"{name} = {name} {sign} {right}")


def transpose_all(b: Blame) -> Iterator[Edit]:
    """Turn every matrix among the values returned."""
    for site in b.sites:
        if isinstance(site.node, ast.Dict):
            changes = [(b.text.span(v), f"{b.operand(v)}.T") for v in site.node.values]
            if changes:
                yield _joined(b, changes)
