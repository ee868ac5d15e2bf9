"""The sizes that a script writes as numbers, and that its inputs have (child's side).

    N, D, H, C = 64, 10, 20, 5        X = rng.normal(size=(N, D))

`N` is the first size of X. On other inputs it has to be theirs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grader.child.binding import names
from grader.child.binding.language import places
from grader.child.binding.names import plain
from grader.child.binding.script.flow import Block, pairs
from grader.child.binding.script.reader import last_name
from grader.source.trees import walk

Axis = tuple[str, int]
"""An expression of an input, and which of its sizes."""

PAIRED = ("randn", "rand")
"""Functions that are given the sizes one by one."""

COUNTING = ("arange", "range", "zeros", "ones", "empty", "eye", "full", "reshape", "one_hot")
"""Functions that are given sizes."""

OF_SIZE = {"B": ("X", 0), "D": ("X", 1), "H": ("W2", 0), "C": ("W2", 1)}


@dataclass(frozen=True)
class Sizes:
    """Which variables and which literal numbers are sizes of the inputs."""

    roles: Mapping[str, str]
    variables: Mapping[str, Axis]
    literals: Mapping[int, Axis]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the variables that are sizes, those for literal numbers among them."""
        return (*self.variables, *map(_name, self.literals))

    def of(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        """Return what each is for these inputs."""
        every = {**self.variables, **{_name(n): axis for n, axis in self.literals.items()}}
        return {
            name: places.shape(eval(text, {}, dict(inputs)))[axis]
            for name, (text, axis) in every.items()
        }

    def replaced(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Return statements with a variable for each literal size."""
        return [self._replaced(s) for s in statements] if self.literals else [*statements]

    def _replaced(self, statement: ast.stmt) -> ast.stmt:
        for node in walk(statement):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                node.right = self._variable(node.right)
            elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
                node.value = self._variable(node.value)
            elif isinstance(node, ast.Call) and last_name(node.func) in COUNTING:
                node.args = [self._variables(a) for a in node.args]
        return statement

    def _variables(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Tuple):
            node.elts = [self._variable(e) for e in node.elts]
        return self._variable(node)

    def _variable(self, node: ast.expr) -> ast.expr:
        value = node.value if isinstance(node, ast.Constant) else None
        if not isinstance(value, int | float) or value not in self.literals:
            return node
        return ast.copy_location(ast.Name(_name(int(value)), ast.Load()), node)


def _name(size: int) -> str:
    return f"__size_{size}__"


def sizes_of(
    block: Block, roles: Mapping[str, str], inputs: Iterable[str],
    containers: Mapping[str, Mapping[str, str]],
) -> Sizes:  # fmt: skip
    """Return the sizes that a block writes as numbers, for the inputs under these names.

    `containers` are dictionaries of weights, with the key of each.
    """
    given = {roles[n]: n for n in inputs}
    for name in set(given.values()) & set(containers):
        given |= {role: f"{name}[{key!r}]" for role, key in containers[name].items()}
    constants = dict(_constants(block))
    variables: dict[str, Axis] = {}
    literals: dict[int, set[Axis]] = {}
    for role, axis, node in _written(block, roles):
        if role not in given or role == "y":
            continue
        place = (given[role], axis)
        if isinstance(node, ast.Name) and node.id in constants:
            variables.setdefault(node.id, place)
            literals.setdefault(constants[node.id], set()).add(_whole(role, axis, given))
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            literals.setdefault(node.value, set()).add(_whole(role, axis, given))
    for name in constants:
        role = next((r for r in names.SIZE_ROLES.get(plain(name), ()) if r in OF_SIZE), "")
        if role and OF_SIZE[role][0] in given:
            variables.setdefault(name, (given[OF_SIZE[role][0]], OF_SIZE[role][1]))
    sure = {n: places_.pop() for n, places_ in literals.items() if len(places_) == 1 and n > 1}
    return Sizes(roles, variables, {n: axis for n, axis in sure.items() if axis[0]})


def _whole(role: str, axis: int, given: Mapping[str, str]) -> Axis:
    """Return one place for a size that stands in several arrays."""
    first = {("W1", 0): ("X", 1), ("W1", 1): ("W2", 0)}.get((role, axis), (role, axis))
    return (given[first[0]], first[1]) if first[0] in given else (given[role], axis)


def _constants(block: Block) -> Iterator[tuple[str, int]]:
    """Yield the variables that are whole numbers, written down."""
    for statement in block.statements:
        for name, value in pairs(statement):
            number = value.value if isinstance(value, ast.Constant) else None
            if isinstance(name, ast.Name) and type(number) is int:
                yield name.id, number


def _written(block: Block, roles: Mapping[str, str]) -> Iterator[tuple[str, int, ast.expr]]:
    """Yield (array, axis, expression) of the sizes with which arrays are made."""
    for statement in block.statements:
        for target, value in pairs(statement):
            role = roles.get(target.id, "") if isinstance(target, ast.Name) else ""
            made = [(role, value)] if role in names.DATA else []
            if role and isinstance(value, ast.Dict):
                keys = [getattr(key, "value", "") for key in value.keys]
                known = names.data_roles([k for k in keys if isinstance(k, str)])
                made = [(known.get(k, ""), v) for k, v in zip(keys, value.values, strict=True)]
            for which, matrix in made:
                for axis, node in enumerate(_pair(matrix) if which else ()):
                    yield which, axis, node


def _pair(value: ast.expr) -> tuple[ast.expr, ...]:
    """Return the two sizes of the matrix that an expression makes; () where it does not say."""
    for node in walk(value):
        if not isinstance(node, ast.Call):
            continue
        for inner in (*node.args, *(k.value for k in node.keywords)):
            if isinstance(inner, ast.Tuple | ast.List) and len(inner.elts) == 2:
                return tuple(inner.elts)
        if last_name(node.func) in PAIRED and len(node.args) == 2:
            return tuple(node.args)
    return ()
