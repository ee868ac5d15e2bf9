"""The lines of a contract: Python that only assigns and calls, and no name out of nowhere.

They are examined here, in the judge, and executed in the sandbox alone. The checks walk
plain data, so that one bad value does not hide the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.rubric.problems import did_you_mean
from grader.yaml_data import Path, Plain, quoted

GIVEN = ("X", "y", "W1", "b1", "W2", "b2", "B", "D", "H", "C", "lr")
NODES = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.keyword, ast.Constant, ast.Tuple,
    ast.List, ast.Dict, ast.UnaryOp, ast.USub, ast.Load, ast.Store,
)  # fmt: skip
"""What an expression may be made of."""

Say = tuple[Path, str]


def contract_problems(contract: Plain) -> Iterator[Say]:
    """Problems of the section `contract`, each with its path inside of it."""
    if not isinstance(contract, dict):
        return
    for name in ("numpy", "torch"):
        part = contract.get(name)
        if isinstance(part, dict):
            yield from (((name, *path), text) for path, text in _PartLines(part, name).problems())
    yield from _said_twice(contract)


def _said_twice(contract: dict[str, Plain]) -> Iterator[Say]:
    names = contract.get("names")
    for part, own in (("numpy", ("forward", "backward")), ("torch", ("torch_forward_backward",))):
        for name in own:
            if part in contract and isinstance(names, dict) and names.get(name):
                what = f"`{name}` is named here, and `{part}` says how it is called"
                yield ("names", name), f"{what}; delete one of the two"
    if not {"names", "numpy", "torch"} & set(contract):
        yield (), "the contract says nothing; write `numpy:`, `torch:` or `names:`, or delete it"


@dataclass
class _PartLines:
    """One part, line by line: what is made by then is known."""

    part: dict[str, Plain]
    name: str
    made: list[str] = field(default_factory=list)

    def problems(self) -> Iterator[Say]:
        yield from self._lines("make")
        yield from self._expressions("weights", target=True)
        for key in ("forward", "backward", "calls"):
            yield from self._lines(key)
        loss = self.part.get("loss")
        if isinstance(loss, str):
            yield from ((("loss",), text) for text in self._expression(loss, target=False))
        yield from self._expressions("gradients", target=False)
        yield from self._expressions("stepped", target=False)
        if not self.part.get("gradients") and not self.part.get("stepped"):
            yield (), f"`gradients` is missing in `{self.name}`; write where each one is found"
        arrays = self.part.get("arrays")
        if isinstance(arrays, dict):
            yield from ((("arrays", key), text) for key, text in _shapes(arrays))

    def _lines(self, key: str) -> Iterator[Say]:
        lines = self.part.get(key)
        for number, line in enumerate(lines if isinstance(lines, list) else ()):
            if isinstance(line, str):
                yield from (((key, number), text) for text in self._line(line))

    def _expressions(self, key: str, *, target: bool) -> Iterator[Say]:
        entries = self.part.get(key)
        for name, text in entries.items() if isinstance(entries, dict) else ():
            if isinstance(text, str):
                yield from (((key, name), t) for t in self._expression(text, target=target))

    def _line(self, line: str) -> Iterator[str]:
        example = "write one call, such as `loss, cache = forward(X, y, W1, b1, W2, b2)`"
        try:
            body = ast.parse(line).body
        except (SyntaxError, ValueError) as error:
            commas = "; inside [..] YAML splits at commas: give each line its own `- `"
            split = commas if line.count("(") != line.count(")") else ""
            yield f"{quoted(line)} is no line of Python ({_why(error)}); {example}{split}"
            return
        statement = body[0] if len(body) == 1 else None
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            value, targets = statement.value, statement.targets[0]
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            value, targets = statement.value, None
        else:
            yield f"{quoted(line)} is neither an assignment nor a call; {example}"
            return
        yield from self._parts(value, line)
        if targets is None:
            return
        leaves = targets.elts if isinstance(targets, ast.Tuple | ast.List) else [targets]
        for leaf in leaves:
            if isinstance(leaf, ast.Name):
                self.made.append(leaf.id)
            else:
                yield from self._parts(leaf, line)

    def _expression(self, text: str, *, target: bool) -> Iterator[str]:
        example = '`net.params["W1"]`' if target else '`grads["W1"]`'
        try:
            tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError) as error:
            yield f"{quoted(text)} is no expression of Python ({_why(error)}); write {example}"
            return
        if target and not isinstance(tree, ast.Name | ast.Attribute | ast.Subscript):
            yield f"nothing can be put into {quoted(text)}; write a place, such as {example}"
        elif target and isinstance(tree, ast.Name):
            return  # a variable of the module
        else:
            yield from self._parts(tree, text)

    def _parts(self, tree: ast.expr, line: str) -> Iterator[str]:
        """What in an expression is more than calls and names, and names that nobody gives."""
        called = _roots(tree)
        for node in ast.walk(tree):
            word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            if not isinstance(node, NODES):
                what = f"{quoted(line)} computes ({type(node).__name__})"
                yield f"{what}; only names, calls, attributes, [..] and constants may stand here"
                return
            if isinstance(word, str) and word.startswith("_"):
                yield f"{quoted(word)} begins with an underscore; use a public name"
                return
            if isinstance(node, ast.Name) and node not in called:
                yield from self._unknown(node.id)

    def _unknown(self, name: str) -> Iterator[str]:
        known = [*GIVEN, *self.made]
        if name not in known:
            near = did_you_mean(name, known) or did_you_mean(name.swapcase(), known)
            instead = f"write `{near}`" if near else f"use one of {', '.join(known)}"
            yield f"unknown name {quoted(name)}; {instead}"


def _roots(tree: ast.expr) -> set[ast.AST]:
    """The names at the root of each call: the submission's own functions and classes."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            root: ast.expr = node.func
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            found.add(root)
    return found


def _shapes(arrays: dict[str, Plain]) -> Iterator[tuple[str, str]]:
    """Shapes that do not go together."""
    at = {key: [str(n) for n in shape] for key, shape in arrays.items() if isinstance(shape, list)}
    columns = at.get("X") == ["D", "B"]
    y, lies = at.get("y", ["B"]), "[D, B]" if columns else "[B, D]"
    if y in (["B", "C"], ["C", "B"]) and (y == ["C", "B"]) != columns:
        other = "[C, B]" if columns else "[B, C]"
        yield "y", f"a one-hot y lies as X does, which is {lies}; write `y: {other}`"
    if y == ["1", "B"] and not columns:
        yield "y", "[1, B] goes with X [D, B]; write `y: [B]`, or `X: [D, B]` too"
    if "W2" in at and (at["W2"] == ["C", "H"]) != (at.get("W1") == ["H", "D"]):
        other = "[C, H]" if at.get("W1") == ["H", "D"] else "[H, C]"
        yield "W2", f"W2 lies otherwise than W1; write `W2: {other}`"
    if "b2" in at:
        want = [n.replace("H", "C") for n in at.get("b1", ["H"])]
        if at["b2"] != want:
            yield "b2", f"b2 lies otherwise than b1; write `b2: [{', '.join(want)}]`"


def _why(error: SyntaxError | ValueError) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)
