"""How backward comes by its gradients, as its trace shows: derived, differenced, or by an engine.

A derivation has values that nothing else has: dZ2, dH1, dZ1, or entries of them. Differences of
any kind evaluate the network again, at inputs that are moved (by a real or an imaginary step, one
entry after another or many at once), or carry its tangents along: the derivatives of Z2 by each
entry of a leaf. An honest loop over entries does neither.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.checks.view import View
from grader.observe.naming import CLOSE
from grader.observe.reading import NamedTrace
from grader.observe.trace import TracedValue
from grader.records import Array
from grader.source.program import Program, Spot, last_name

LOADS = ("name", "attribute", "subscript")
"""Kinds that fetch a value and make none."""

NEAR = 1e-2
"""Of its largest entry: how far a moved input takes a layer. No step of a difference is wider."""

ROUNDED = 1e-12
"""The same for rounding: what is computed again by another formula is no further off."""

LOSS_NEAR = 1e-3
"""The same of the loss, which is a single number, and may be met by chance."""

OF_FIRST, OF_SECOND = ("Z1", "H1", "X @ W1"), ("Z2", "P", "logP", "H1 @ W2", "Z2 - max")
DERIVED = ("dZ2", "dH1", "dZ1")
ARITHMETIC = ("add", "subtract", "multiply", "divide", "matmul", "binary", "target")
OPERATORS = ("__add__", "__sub__", "__mul__", "__matmul__", "__truediv__", "__neg__", "__pow__")


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The network evaluated again in backward: how often, where, and whether with complex steps."""

    count: int
    at: TracedValue
    complex_step: bool


class Derivation:
    """What one trace shows of where the gradients of backward come from."""

    def __init__(self, view: View, program: Program) -> None:
        self.view, self.program = view, program
        self.named: NamedTrace = view.named
        self.sizes: Mapping[str, int] = view.expected("primes").case.sizes
        self.backward = self.named.during("backward")

    # ── signs of a derivation ────────────────────────────────────────────────

    @cached_property
    def is_derived(self) -> bool:
        """Return whether a value on the way is dZ2, dH1 or dZ1, or made of entries of one."""
        entries = self._entries
        return any(r.base in DERIVED or _made_of(r.value, entries) for r in self.named.readings)

    @cached_property
    def has_whole(self) -> bool:
        """Return whether dZ2, dH1 or dZ1 is there as a whole, with the rows of the batch first."""
        shapes = [self._shape(*"BH"), self._shape(*"BC")]
        whole = (r for r in self.named.readings if r.base in (*DERIVED, "P - onehot"))
        return any(r.value.shape in shapes and r.name and not r.name.transposed for r in whole)

    @cached_property
    def _entries(self) -> Array:
        known, B = self.named.known, self.sizes["B"]
        flat = [np.abs(np.asarray(known[n], np.float64)).ravel() for n in DERIVED]
        entries = np.concatenate([part * times for part in flat for times in (1.0, float(B))])
        return np.sort(entries[entries > 0])

    @cached_property
    def is_hidden(self) -> bool:
        """Return whether backward computes nothing in any expression that the trace can see."""
        often = self.sizes["H"]
        computed = (r for r in self.backward if r.at.kind in ARITHMETIC)
        seen = (r for r in computed if r.value.size > 1 or r.at.count >= often)
        return self.named.trace.taken and not self.is_derived and next(seen, None) is None

    # ── signs of differences ─────────────────────────────────────────────────

    @cached_property
    def evaluations(self) -> Evaluations | None:
        """Return where the network is evaluated again and again at moved inputs, if it is."""
        return self._one_by_one() or self._many_at_once() or self._losses()

    def near(self, at: TracedValue) -> Iterator[TracedValue]:
        """Return what is computed about as often as `at`, in the order of its first evaluation."""
        return (v for v in self._computed() if 2 * v.count >= at.count)

    def _computed(self) -> Iterator[TracedValue]:
        for value in self.named.trace.values:
            if value.phase == "backward" and value.kind not in LOADS:
                yield value

    def _one_by_one(self) -> Evaluations | None:
        """Both layers computed once for each entry of W1 at least, not always the very same."""
        often = self.sizes["D"] * self.sizes["H"]
        repeated = [v for v in self._computed() if v.count >= often]
        layers = [
            [(v, gap) for v in repeated if (gap := self._gap(v, names)) is not None]
            for names in (OF_FIRST, OF_SECOND)
        ]
        if not all(layers):
            return None
        moved = any(gap > ROUNDED or v.imaginary for found in layers for v, gap in found)
        first = max((v for v, _ in layers[1]), key=lambda v: v.count)
        step = any(v.imaginary for found in layers for v, _ in found)
        return Evaluations(first.count, first, step) if moved else None

    def _many_at_once(self) -> Evaluations | None:
        """The second layer computed for many inputs in one array, all near the right one."""
        for value in self._computed():
            for array in (value.value, value.last):
                if array is None or array.ndim != 3 or array.dtype.kind != "f":
                    continue
                gap = self._stack_gap(array)
                if gap is not None and (value.imaginary or gap > ROUNDED):
                    return Evaluations(len(array), value, value.imaginary)
        return None

    def _losses(self) -> Evaluations | None:
        """The loss computed once for each entry of W1 at least."""
        often, loss = self.sizes["D"] * self.sizes["H"], float(self.named.known["loss"])
        for value in self._computed():
            arrays = (a for a in (value.value, value.last) if a is not None and a.size == 1)
            ends = [float(a.reshape(())) for a in arrays]
            near = all(abs(end - loss) <= LOSS_NEAR * abs(loss) for end in ends)
            moves = value.imaginary or len(set(ends)) > 1
            if value.count >= often and len(ends) == 2 and near and moves:
                return Evaluations(value.count, value, value.imaginary)
        return None

    def _gap(self, value: TracedValue, names: tuple[str, ...]) -> float | None:
        """How far a value is from one of these tensors, first and last; None if not near."""
        ends = [a for a in (value.value, value.last) if a is not None and a.dtype.kind == "f"]
        for name in names:
            want = np.asarray(self.named.known[name], np.float64)
            for right in (want, want.T):
                if ends and all(a.shape == right.shape for a in ends):
                    gap = max(_relative(a, right) for a in ends)
                    if gap <= NEAR:
                        return gap
        return None

    def _stack_gap(self, array: Array) -> float | None:
        for name in OF_SECOND:
            want = np.asarray(self.named.known[name], np.float64)
            for axis in (0, 2):
                slices = np.moveaxis(array, axis, 0)
                if len(slices) > 1 and slices.shape[1:] == want.shape:
                    gap = max(_relative(one, want) for one in slices)
                    if gap <= NEAR:
                        return gap
        return None

    @cached_property
    def tangents(self) -> TracedValue | None:
        """Return where the derivative of Z2 by each entry of a leaf is computed, if it is."""
        wanted = {len(a): a for a in self._jacobians()}
        for value in self._computed():
            for array in (value.value, value.last):
                want = wanted.get(len(array)) if array is not None and array.ndim == 3 else None
                if want is None or array is None or array.shape != want.shape:
                    continue
                if _relative(array, want) <= CLOSE:
                    return value
        return None

    def _jacobians(self) -> Iterator[Array]:
        """The derivative of Z2 by the entries of W1, b1, W2 and X: [entries, B, C]."""
        case = self.view.expected("primes").case
        on = (np.asarray(self.named.known["Z1"]) > 0).astype(np.float64)
        B, D, H, C = (self.sizes[s] for s in "BDHC")
        gated = np.einsum("bh,hc->hbc", on, case.W2)
        yield np.einsum("bd,hbc->dhbc", case.X, gated).reshape(D * H, B, C)
        yield gated
        hidden = np.asarray(self.named.known["H1"])
        yield np.einsum("bh,ce->hebc", hidden, np.eye(C)).reshape(H * C, B, C)
        rows = np.einsum("ab,dh,hbc->adbc", np.eye(B), case.W1, gated)
        yield rows.reshape(B * D, B, C)

    def _shape(self, *letters: str) -> tuple[int, ...]:
        return tuple(self.sizes[letter] for letter in letters)

    # ── signs of an engine ───────────────────────────────────────────────────

    @cached_property
    def engine(self) -> Spot | None:
        """Return where values record how they were made, for a walk to differentiate any network.

        Operators of a class of the candidate's make its objects, and what stands in them runs
        in forward and in backward; or closures that are kept one by one are called in turn.
        """
        ran = {phase: {v.function for v in self.named.trace.values if v.phase == phase}
               for phase in ("forward", "backward")}  # fmt: skip
        for path, tree in self.program.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and _records(node):
                    inside = f"{node.name}."
                    if all(any(inside in f"{name}." for name in names) for names in ran.values()):
                        return Spot(path, node.lineno, node.lineno)
        for function in self.program.reached("backward"):
            for inner in ast.walk(function.node):
                tree = self.program.trees[function.file]
                if isinstance(inner, ast.For) and _is_tape(inner, tree):
                    return Spot(function.file, inner.lineno, inner.lineno)
        return None


def _relative(array: Array, want: Array) -> float:
    with np.errstate(all="ignore"):
        gap = float(np.abs(array - want).max() / np.abs(want).max())
    return gap if np.isfinite(gap) else np.inf


def _made_of(value: Array, entries: Array) -> bool:
    """Whether every entry of a value but zeros is among `entries`, and they are not all alike."""
    if value.dtype.kind != "f":
        return False
    flat = np.abs(value.astype(np.float64)).ravel()
    flat = flat[flat > 0]
    if not flat.size or not entries.size or (flat.size > 1 and bool((flat == flat[0]).all())):
        return False
    places = np.clip(np.searchsorted(entries, flat), 1, len(entries) - 1)
    gaps = np.minimum(np.abs(entries[places] - flat), np.abs(entries[places - 1] - flat))
    return bool((gaps <= CLOSE * flat).all())


def _records(node: ast.ClassDef) -> bool:
    """Whether two operators of a class or more make objects of it, with functions in them."""
    made = 0
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name in OPERATORS:
            inside = list(ast.walk(method))
            makes = any(
                isinstance(n, ast.Call) and last_name(n.func) in (node.name, "cls") for n in inside
            )
            made += makes
    closures = any(isinstance(n, ast.Lambda) for n in ast.walk(node)) or any(
        isinstance(inner, ast.FunctionDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        for inner in ast.walk(method)
        if inner is not method
    )
    return made >= 2 and closures


def _is_tape(node: ast.For, tree: ast.Module) -> bool:
    """Whether a loop backwards calls what is kept in a list, one by one, and hands nothing on."""
    backwards = isinstance(node.iter, ast.Call) and last_name(node.iter.func) == "reversed"
    if isinstance(node.iter, ast.Subscript) and isinstance(node.iter.slice, ast.Slice):
        backwards = node.iter.slice.step is not None
    if not backwards or not isinstance(node.target, ast.Name):
        return False
    kept = {
        target.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign) and isinstance(n.value, ast.Name | ast.Lambda)
        for target in n.targets
        if isinstance(target, ast.Attribute)
    }
    for statement in node.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and not call.args:
            func = call.func
            own = isinstance(func, ast.Name) and func.id == node.target.id
            held = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)
            if own or (held and func.value.id == node.target.id and func.attr in kept):  # type: ignore[attr-defined]
                return True
    return False
