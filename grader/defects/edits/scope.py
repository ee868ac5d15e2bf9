"""What stands for a tensor at a place: the names in scope there, by what the trace saw in them."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from grader.observe.reading import NamedTrace, Reading
from grader.source.edits import Site, Text

ATOM = re.compile(r"""[A-Za-z_]\w*(\.\w+)*(\[("\w+"|'\w+'|[A-Za-z_]\w*)\])?""")
"""What can be written in an operand's place: `H1`, `self.x`, `cache["Z1"]`, `H1[i]`."""

ARGUMENTS = ("X", "y", "W1", "b1", "W2", "b2")
ENTRIES = ("forward", "torch_forward_backward")

LOOKS: Mapping[str, re.Pattern[str]] = {
    role: re.compile(pattern, re.IGNORECASE)
    for role, pattern in {
        "X": r"\bx\b|inp",
        "y": r"\b[yt]\b|lab|targ",
        "W1": r"w(eight)?_?1",
        "W2": r"w(eight)?_?2",
        "b1": r"b(ias)?_?1|c1|\bb\b|bias",
        "b2": r"b(ias)?_?2|c2|\bb\b|bias",
        "Z1": r"z_?1|pre.*|a_?1|lin.*|^x$|^z$|cache",
        "mask": r"mask|gate|active|positive",
        "H1": r"h_?1|act|hid|a_?1|\bx\b|\bh\b",
        "Z2": r"z_?2|logit|score|a_?2",
        "P": r"^p$|prob|soft|p_|y_?hat",
        **{f"d{t}": rf"d_?{t}|grad_?{t}|{t}_?grad" for t in ("W1", "b1", "W2", "b2", "X")},
        "dH1": r"d_?(h|a|act|hid)|grad|upstream|dout",
        "dZ1": r"d_?(z_?1|pre|a1)",
        "dZ2": r"d_?(z_?2|log|sco)",
        "logP": r"log",
    }.items()
}
"""What names of values that the trace did not see look like: nobody reads them, so far."""

METHODS = frozenset(
    ("T", "shape", "size", "dtype", "ndim", "grad", "copy", "sum", "mean", "max", "dot")
)
"""Attributes that every array has: who asks for one is no container of tensors by that."""

FEW = 4
"""Texts that are tried for one tensor."""


def last_word(text: str) -> str:
    """`Z1` of `cache["Z1"]` and of `self.Z1`; `H1` of `H1[i]`."""
    word = re.fullmatch(r"""(?:.*[.\["'])?(\w+)["']?\]?|(\w+)\[\w+\]""", text)
    return (word[2] or word[1]) if word else text


@dataclass(frozen=True)
class Scope:
    """The texts that stand for tensors in one function; `loose` ones were never read in it."""

    by_role: Mapping[str, tuple[str, ...]]
    loose: tuple[str, ...]
    by_shape: Mapping[str, tuple[int, ...]]

    def texts(self, *roles: str) -> list[str]:
        """Return at most a few texts for the roles, those that the trace vouches for first."""
        found: dict[str, None] = {}
        for role in roles:
            found |= dict.fromkeys(self.by_role.get(role, ()))
        for role in (r for r in roles if r in LOOKS):
            alike = [t for t in self.loose if LOOKS[role].search(last_word(t))]
            alike.sort(key=lambda t: LOOKS[role].fullmatch(last_word(t)) is None)
            found |= dict.fromkeys(alike)
        return list(found)[:FEW]

    def size(self) -> list[str]:
        """Expressions for B."""
        known = [t for t in self.by_role.get("B", ()) if not t.isdigit()]
        rows = self.texts("X", "P", "Z1", "H1", "Z2", "dZ2", "dH1", "dZ1", "y")
        return [*known, *(f"{t}.shape[0]" for t in rows)][:2]

    def alike(self, text: str) -> list[str]:
        """Other texts whose value has the shape of this one's."""
        shape = self.by_shape.get(text)
        return [t for t, s in self.by_shape.items() if s == shape and t != text] if shape else []


class Scopes:
    """The scopes of one file, and what the trace says of its expressions."""

    def __init__(self, text: Text, path: str, named: NamedTrace, names: Mapping[str, str]) -> None:
        self.text, self.named = text, named
        self.readings: dict[tuple[int, int], Reading] = {}
        self._by_function: dict[str, list[Reading]] = {}
        for reading in named.readings:
            at = reading.at
            if at.file == path and at.end_line < len(text.starts) + 1:
                start = text.starts[at.line - 1] + at.col
                self.readings[start, text.starts[at.end_line - 1] + at.end_col] = reading
                self._by_function.setdefault(at.function, []).append(reading)
        self._entries = {names.get(entry, entry) for entry in ENTRIES}
        self._known: dict[str, Scope] = {}

    def reading(self, site: Site) -> Reading | None:
        """Return the last value of an expression."""
        return self.readings.get(self.text.span(site.node))

    def base(self, site: Site) -> str:
        """Return the tensor that an expression is a form of, "" for none."""
        reading = self.reading(site)
        return reading.base if reading is not None else ""

    def suspect(self, site: Site) -> bool:
        """Return whether an expression is no tensor that a right answer comes by."""
        reading = self.reading(site)
        return reading is None or reading.name is None or not reading.name.exact

    def of(self, node: ast.AST) -> Scope:
        """Return the scope of the function around a node."""
        function = self.text.functions[node]
        if function not in self._known:
            self._known[function] = self._scope(function)
        return self._known[function]

    def _scope(self, function: str) -> Scope:
        outer = [function]
        while "." in outer[-1]:
            outer.append(outer[-1].rpartition(".")[0])
        roles: dict[str, dict[str, None]] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for reading in (r for f in outer for r in self._by_function.get(f, ())):
            written = self.named.trace.text(reading.at)
            size = reading.base == "B"
            plain = written.partition(".")[0] in self.text.modules
            if plain or not (ATOM.fullmatch(written) or size):
                continue
            if not size:
                shapes[written] = reading.value.shape
            if reading.name is not None and reading.name.exact and not reading.name.transposed:
                roles.setdefault(reading.base, {})[written] = None
        for role, name in self._arguments(outer):
            roles.setdefault(role, {})[name] = None
        loose = [t for f in outer for t in self._written(f) if t not in shapes]
        known = {r: tuple(sorted(ts, key=len)) for r, ts in roles.items()}
        return Scope(known, tuple(dict.fromkeys(loose)), shapes)

    def _arguments(self, functions: list[str]) -> Iterator[tuple[str, str]]:
        """The contract's arguments by their places."""
        for node in self.text.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in self._entries & {*functions}:
                yield from zip(ARGUMENTS, (a.arg for a in node.args.args), strict=False)

    def _written(self, function: str) -> Iterator[str]:
        """What could be written in a function: its names, and keys and fields of what it reads."""
        inside = [node for node, name in self.text.functions.items() if name == function]
        arguments = [node.arg for node in inside if isinstance(node, ast.arg)]
        keyed, dotted = list[str](), [a for a in arguments if a == "self"]
        parts = (n for n in inside if isinstance(n, ast.Subscript | ast.Attribute))
        for node in parts:
            if not isinstance(node.value, ast.Name) or node.value.id in self.text.modules:
                continue
            if isinstance(node, ast.Attribute):
                if node.attr not in METHODS:
                    dotted.append(node.value.id)
            elif isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                keyed.append(node.value.id)
            elif ATOM.fullmatch(written := self.text.text(node)):
                yield written
        containers = dict.fromkeys((*keyed, *dotted))
        names = (n.id for n in inside if isinstance(n, ast.Name))
        plain = dict.fromkeys((*arguments, *names))
        yield from (n for n in plain if n not in containers and not hasattr(builtins, n))
        for container in sorted(containers, key=lambda c: c not in arguments):
            form = '{}["{}"]' if container in keyed else "{}.{}"
            yield from (form.format(container, key) for key in self._keys)

    @cached_property
    def _keys(self) -> list[str]:
        """Words that name entries: keys of dictionaries, fields of classes, keywords, `self.x`."""
        found: dict[str, None] = {}
        for node in ast.walk(self.text.tree):
            if isinstance(node, ast.Dict):
                words = [k.value for k in node.keys if isinstance(k, ast.Constant)]
            elif isinstance(node, ast.Tuple | ast.List):
                words = [e.value for e in node.elts if isinstance(e, ast.Constant)]
            elif isinstance(node, ast.ClassDef):
                fields = (s.target for s in node.body if isinstance(s, ast.AnnAssign))
                words = [f.id for f in fields if isinstance(f, ast.Name)]
            elif isinstance(node, ast.keyword) and node.arg:
                words = [node.arg]
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                words = [node.attr]
            else:
                continue
            found |= dict.fromkeys(w for w in words if isinstance(w, str) and w.isidentifier())
        return list(found)
