"""What a module defines, by its source and its signatures; nothing is called (child's side)."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

from grader.child import loading
from grader.child.binding import names
from grader.child.binding.names import kinds
from grader.child.definitions import Weave, plain_code
from grader.source.cells import Parser
from grader.source.trees import walk

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
HOLDING = (ast.stmt, ast.ExceptHandler, ast.match_case)
"""What may hold statements."""

OBJECT = "net"
"""The variable that holds an object of one of the candidate's classes."""

LEFT_OUT = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Callee:
    """A function or method of the candidate's; `parameters` without `self` and without `*args`."""

    name: str
    call: Any
    node: ast.FunctionDef | ast.AsyncFunctionDef | None
    parameters: tuple[inspect.Parameter, ...]
    star: bool = False
    torch: bool = False
    owner: str = ""
    """The variable that holds the object whose method it is; "" for a function."""

    @property
    def path(self) -> str:
        """Return the expression that is called: `forward`, `net.forward`."""
        if self.owner and self.name == "__call__":
            return self.owner
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @cached_property
    def kinds(self) -> frozenset[str]:
        return kinds(self.name)

    @property
    def line(self) -> int:
        return self.node.lineno if self.node else 0

    @property
    def stub(self) -> bool:
        return self.node is not None and loading.is_stub(self.node)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    @cached_property
    def roles(self) -> frozenset[str]:
        """Return the contract's arrays that it is given."""
        return frozenset(names.data_roles(self.names).values())

    @property
    def takes_container(self) -> bool:
        """Tell whether one parameter holds all weights."""
        return not {"W1", "W2"} <= self.roles and any(map(names.is_container, self.names))

    @property
    def takes_network(self) -> bool:
        """Tell whether it is given both weights, or a container of them, and the input."""
        return "X" in self.roles and ({"W1", "W2"} <= self.roles or self.takes_container)

    @property
    def heading(self) -> str:
        """`backprop(a1, z1)`: as a message quotes it."""
        return f"{self.name}({', '.join(self.names)})"

    @cached_property
    def returns(self) -> tuple[tuple[str, ...], ...]:
        """Return the names in each `return a, b`; () for a return of something else."""
        rows = (
            node.elts if isinstance(node, ast.Tuple | ast.List) else []
            for node in self.returned_nodes
        )
        return tuple(tuple(map(_name_of, row)) for row in rows)

    @cached_property
    def names_gradients(self) -> bool:
        """Tell whether what it returns is called the gradients of two tensors at least."""
        said = {names.gradient_of(word) for labels in self.returns for word in labels}
        found = {tensor for tensor, explicit in said if explicit}
        for node in self.returned_nodes:
            for key in node.keys if isinstance(node, ast.Dict) else ():
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found.add(names.gradient_of(key.value)[0])
        return len(found & set(names.TENSORS)) >= 2

    @property
    def place(self) -> str:
        """`solution.py, line 3`: where it stands."""
        code = getattr(inspect.unwrap(self.call), "__code__", None)
        file = f"{code.co_filename}, " if code else ""
        return f"{file}line {self.line}"

    @cached_property
    def returned_nodes(self) -> tuple[ast.expr | None, ...]:
        """Return the value of each return, a variable's last simple assignment in its place."""
        found: list[ast.expr | None] = []
        for statement in _own_returns(self.node):
            value = statement.value
            if isinstance(value, ast.Name) and self.node:
                value = assigned(self.node, value.id) or value
            found.append(value)
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the candidate's with its methods, inherited ones of the candidate's too."""

    name: str
    type: type
    node: ast.ClassDef | None
    methods: Mapping[str, Callee]
    torch: bool
    module: bool
    """Whether it is an `nn.Module`."""

    @property
    def constructor(self) -> Callee | None:
        return self.methods.get("__init__")

    @property
    def is_given_weights(self) -> bool:
        """Tell whether the constructor takes the weights."""
        made = self.constructor
        return made is not None and ({"W1", "W2"} <= made.roles or made.takes_container)

    @property
    def callable_methods(self) -> list[Callee]:
        """Return the methods that an answer may consist of."""
        own = (m for n, m in self.methods.items() if n == "__call__" or not n.startswith("__"))
        return [m for m in own if not m.stub]


@dataclass(frozen=True, eq=False)
class Source:
    """One submission's module, loaded, and the text of its files."""

    module: ModuleType
    files: Mapping[str, bytes]
    parser: Parser = field(default_factory=Parser)
    weave: Weave = plain_code
    """Makes code of statements that are executed by themselves."""
    _names: dict[ast.AST, set[str]] = field(default_factory=dict)

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        trees = {}
        for path, data in self.files.items():
            if path.endswith(".py"):
                try:
                    trees[path] = self.parser.tree(data, path)
                except (SyntaxError, ValueError, RecursionError):
                    continue
        return trees

    @cached_property
    def nodes(self) -> dict[tuple[str, int], Definition]:
        """Definitions by file and line; a decorated one by its decorator's line too."""
        nodes: dict[tuple[str, int], Definition] = {}
        for path, tree in self.trees.items():
            for node in walk(tree):
                if isinstance(node, Definition):
                    nodes[path, node.lineno] = node
                    for decorator in node.decorator_list:
                        nodes.setdefault((path, decorator.lineno), node)
        return nodes

    @cached_property
    def torch_names(self) -> frozenset[str]:
        """Names by which the files know torch, and the definitions that lean on it."""
        roots, bodies = set[str](), dict[str, set[str]]()
        for tree in self.trees.values():
            for node in walk(tree):
                if isinstance(node, ast.Import):
                    tops = [a for a in node.names if a.name.partition(".")[0] == "torch"]
                    roots |= {(a.asname or a.name).partition(".")[0] for a in tops}
                elif (
                    isinstance(node, ast.ImportFrom)
                    and (node.module or "").partition(".")[0] == "torch"
                ):
                    roots |= {a.asname or a.name for a in node.names}
            for node in tree.body:
                if isinstance(node, Definition):
                    bodies[node.name] = self._names_in(node)
        grown = True
        while grown:
            more = {name for name, used in bodies.items() if used & roots} - roots
            roots, grown = roots | more, bool(more)
        return frozenset(roots)

    def _names_in(self, node: ast.AST) -> set[str]:
        """Return all names in a definition; looked for once."""
        if node not in self._names:
            self._names[node] = {n.id for n in walk(node) if isinstance(n, ast.Name)}
        return self._names[node]

    @cached_property
    def functions(self) -> tuple[Callee, ...]:
        """Return the module's functions, as far as they are the candidate's own."""
        found = []
        for name, value in list(vars(self.module).items()):
            if isinstance(value, FunctionType) and value.__code__.co_filename in self.files:
                found.append(self.function(name, value))
        return tuple(found)

    @cached_property
    def classes(self) -> tuple[Class, ...]:
        found = []
        for name, value in list(vars(self.module).items()):
            if isinstance(value, type) and self._is_own(value) and name == value.__name__:
                found.append(self._class(name, value))
        return tuple(found)

    def _is_own(self, value: type) -> bool:
        if issubclass(value, tuple) and value.__module__ == self.module.__name__:
            return True  # a named tuple has no function of its own
        items = (_inner(item) for kind in value.__mro__ for item in vars(kind).values())
        return any(
            isinstance(item, FunctionType) and item.__code__.co_filename in self.files
            for item in items
        )

    def _class(self, name: str, value: type) -> Class:
        methods: dict[str, Callee] = {}
        for kind in reversed(value.__mro__):
            for method, item in vars(kind).items():
                inner = _inner(item)
                if isinstance(inner, FunctionType) and inner.__code__.co_filename in self.files:
                    bound = not isinstance(item, staticmethod)
                    methods[method] = self.function(method, inner, bound=bound, method=True)
        tops = {kind.__module__.partition(".")[0] for kind in value.__mro__}
        classes = (n for n in self.nodes.values() if isinstance(n, ast.ClassDef))
        node = next((n for n in classes if n.name == name), None)
        torch = "torch" in tops or name in self.torch_names
        return Class(name, value, node, methods, torch, "torch" in tops)

    def function(
        self, name: str, value: Any, *, bound: bool = False, method: bool = False
    ) -> Callee:
        """Describe one function; of a method, `bound` leaves `self` out."""
        try:
            parameters = tuple(inspect.signature(value).parameters.values())[int(bound) :]
        except (TypeError, ValueError):
            parameters = ()
        code = getattr(inspect.unwrap(value), "__code__", None)
        node = self.nodes.get((code.co_filename, code.co_firstlineno)) if code else None
        own = tuple(p for p in parameters if p.kind not in LEFT_OUT)
        uses = self._names_in(node) & self.torch_names if node is not None else set()
        function = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
        star, owner = len(own) < len(parameters), OBJECT if method else ""
        return Callee(name, value, function, own, star, bool(uses), owner)

    @property
    def loose(self) -> str:
        """Return where the first product of matrices stands at module level; "" for nowhere."""
        outside = ((path, node) for path, tree in self.trees.items() for node in _outside(tree))
        places = (f"{path}, line {node.lineno}" for path, node in outside if _is_product(node))
        return next(places, "")

    @cached_property
    def words(self) -> str:
        """Return all text, for what a mere mention decides (which criterion is named)."""
        return "\n".join(data.decode("utf-8", "replace") for data in self.files.values())


def _inner(item: Any) -> Any:
    return item.__func__ if isinstance(item, staticmethod | classmethod) else item


def _outside(node: ast.AST) -> Iterator[Any]:
    """Yield a tree's nodes, without the definitions inside of it."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Definition | ast.Lambda):
            yield from _outside(child)


def _is_product(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.MatMult)
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in ("dot", "matmul", "mm")


def _own_returns(node: ast.AST | None) -> Iterator[ast.Return]:
    """Yield the returns of a function, not those of functions inside of it."""
    for value in vars(node).values() if node is not None else ():
        for child in value if isinstance(value, list) else ():  # no expression holds a return
            if isinstance(child, ast.Return):
                yield child
            elif isinstance(child, HOLDING) and not isinstance(child, Definition):
                yield from _own_returns(child)


def mentioned(functions: Iterable[Callee]) -> set[str]:
    """Return the attributes that the text of some functions mentions."""
    nodes = [f.node for f in functions if f.node is not None]
    return {n.attr for node in nodes for n in walk(node) if isinstance(n, ast.Attribute)}


def assigned(node: ast.AST, name: str) -> ast.expr | None:
    """Return what `name` is assigned by the last plain assignment in a function."""
    found = None
    for inner in walk(node):
        if isinstance(inner, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in inner.targets
        ):
            found = inner.value
    return found


def _name_of(node: ast.expr) -> str:
    """`dW1`, `self.dW1`, `W1.grad`, `grads["W1"]`, `float(loss)` by their telling name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        if node.attr in ("grad", "T", "data"):
            inner = _name_of(node.value)
            return f"{inner}.grad" if node.attr == "grad" else inner
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _name_of(node.left)  # dlogits / n
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):  # loss.item(), W1.grad.numpy()
            inner = _name_of(node.func.value)
            if inner and inner not in ("np", "torch"):
                return inner
        return _name_of(node.args[0]) if node.args else ""
    return ""
