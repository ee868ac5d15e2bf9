"""One set of inputs of a verification: where its gradients arise (child's side)."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.child.binding.canonical import ARGUMENTS
from grader.child.coerce import TENSORS
from grader.child.reports import (
    NOWHERE,
    Corruption,
    CorruptionKind,
    GradientSide,
    Place,
    Refusal,
    TrialOutcome,
)
from grader.child.trials.inputs import inputs_among
from grader.child.trials.response import Response, refusal
from grader.child.trials.session import Origin, Session, objects
from grader.child.trials.spoiler import Array, Run, Sight, first, known
from grader.child.trials.subject import SAME, Check, Sides, Subject, takes
from grader.source.trees import walk

if TYPE_CHECKING:
    from grader.child.driver import Driver

_State = tuple[dict[str, Array], Sides, Response, Run]
"""Inputs, sides, what a run said and what was noticed in it."""

GROSS = Corruption(CorruptionKind.SCALE, 2.0)


class VerificationSession(Session):
    """One set of inputs, or a script's own: what `verify` says of its two sides."""

    def __init__(
        self, subject: Subject, check: Check | None, arguments: list[Array] | None
    ) -> None:
        super().__init__(subject, check, arguments)
        if arguments is not None:
            self.sides = self.subject.sides(arguments)
        self.raw, self.first = self._look()
        self.adopted = not self._finds_gradients()
        if self.adopted:
            self._adopt()
        self.origins = {t: self.origins_of(t) for t in TENSORS}
        self._tell_apart()
        self.unequal = {t: self._agreed(t) for t in TENSORS if self.sides.differ(t)}
        self.loss = self._losses()
        self.equalise()

    # ── where gradients arise ────────────────────────────────────────────────

    def _look(self) -> tuple[Response, Run]:
        """Run it as it is, and note where known arrays occur."""
        run = self.watching()
        run.watch("input", self.inputs)
        return self.attempt(run), run

    def _finds_gradients(self) -> bool:
        return any(role != "input" for role, _ in self.first.sights)

    def _adopt(self) -> None:
        """Take the inputs of a check with its own numbers from the tensors autograd was given.

        As they were when they first had gradients, or, if more is found so, as they are at last.
        """
        leaves = [(leaf, at) for leaf, at in self.first.leaves.values() if 0 < leaf.dim() <= 2]
        names = [" ".join(map(self.subject.text, sorted(at))) for _, at in leaves]
        tensors = [leaf for leaf, _ in leaves]
        last = [leaf.detach().numpy().copy() for leaf in tensors]
        derived = self.first.derived
        slopes = [derived.get(id(leaf), leaf.grad) for leaf in tensors]
        grads = [None if g is None else g.detach().numpy().copy() for g in slopes]
        pairs = list(zip(last, grads, strict=True))
        held = [self.first.held.get(id(t), p) for t, p in zip(tensors, pairs, strict=True)]
        held = [p if id(t) in derived else h for t, p, h in zip(tensors, pairs, held, strict=True)]
        moved = any(not np.array_equal(h[0], p[0]) for h, p in zip(held, pairs, strict=True))
        plain = (self.inputs, self.sides, self.raw, self.first)
        found = [
            plain,
            *(self._adopted(p, names, plain) for p in ((held, pairs) if moved else (pairs,))),
        ]
        best = max(found, key=lambda f: len({role for role in f[3].sights if role[0] != "input"}))
        self.inputs, self.sides, self.raw, self.first = best

    def _adopted(
        self, pairs: Sequence[tuple[Array, Array | None]], names: Sequence[str], plain: _State
    ) -> _State:
        """Return inputs, sides and a run where leaves and their gradients are these."""
        self.inputs, self.sides, _, first = plain
        match = inputs_among([array for array, _ in pairs], names, first.labels)
        if match is None:
            return plain
        chosen, labels = match
        numbers = _as_the_contract({t: pairs[i][0] for t, i in chosen.items()})
        self.inputs = {t: np.array(a) for t, a in numbers.items()}
        if labels is not None and "X" in chosen:
            self.inputs["y"] = labels
            self.sides = self.subject.sides([self.inputs[n] for n in ARGUMENTS])
        else:
            self.sides = copy.copy(self.sides)
        grads = {t: pairs[i][1] for t, i in chosen.items()}
        turned = {t for t, a in numbers.items() if a.shape != pairs[chosen[t]][0].shape}
        given = {t: g for t, g in grads.items() if g is not None}
        autos = {t: np.array(g.T if t in turned else g) for t, g in given.items()}
        self.sides.auto = self.sides.auto or autos
        self.sides.hand = self.sides.hand or dict(self.sides.auto)
        return self.inputs, self.sides, *self._look()

    def _tell_apart(self) -> None:
        """Find where a gradient arises by hand, where it may be a copy of autograd's.

        In a further run autograd gives others: what still stands there is no copy of those.
        """
        only_hand = self.sides.hand_places - self.sides.auto_places
        both = {t: origins for t, origins in self.origins.items() if len(origins) > 1}
        unsure = [t for t, (mine, _) in both.items() if mine.number not in only_hand]
        if not unsure:
            return
        run = self.watching()
        for tensor in unsure:
            theirs = self.origins[tensor][1]
            run.swap(theirs.number, theirs.was, 2.0 * theirs.was.array + 1.0)
        self.attempt(run)
        seen, self.first.sights = self.first.sights, run.sights
        apart = {t: self.origins_of(t) for t in unsure}
        self.first.sights = seen
        for tensor in unsure:
            mine = [o for o in apart[tensor] if o.was.role == GradientSide.HAND]
            self.origins[tensor] = [*mine, self.origins[tensor][1]]

    def elsewhere(self, arguments: list[Array], *, apart: bool) -> VerificationSession:
        """Return this on inputs on which the check has not run.

        Where a gradient cannot be told by its place, or the sides may be `apart`, they are asked.
        """
        other = copy.copy(self)
        other.arguments = arguments
        other.inputs = dict(zip(ARGUMENTS, arguments, strict=True))
        every = (o for origins in self.origins.values() for o in origins)
        if not apart and self.loss is None and all(map(self.is_steady, every)):
            return other
        other.sides = self.subject.sides(arguments)
        other.loss = other._losses()
        other.origins = {t: list(other._moved(t)) for t in TENSORS}
        return other

    @property
    def draws(self) -> bool:
        """Return whether it works on numbers of its own, whatever it is handed."""
        if self.arguments is None:
            return True
        handed = dict(zip(ARGUMENTS, self.arguments, strict=True))
        used = [t for t in TENSORS if t in self.inputs]
        return not any(np.array_equal(self.inputs[t], handed[t]) for t in used)

    def is_steady(self, origin: Origin) -> bool:
        """Return whether nothing else of that shape stands at that place."""
        return self.first.is_steady(origin.number, origin.was)

    def _moved(self, tensor: str) -> Iterator[Origin]:
        for origin in self.origins[tensor]:
            role = origin.was.role
            given = (self.sides.hand if role == GradientSide.HAND else self.sides.auto).get(tensor)
            if given is not None:
                yield Origin(origin.number, known(role, tensor, given))

    def _agreed(self, tensor: str) -> Array:
        """Return what the first origin is replaced by: the gradient of the other side."""
        origins = self.origins[tensor]
        by_auto = bool(origins) and origins[0].was.role == "auto"
        return (self.sides.hand if by_auto else self.sides.auto)[tensor]

    def is_replaceable(self, origin: Origin) -> bool:
        """Return True: what arises first is replaced, by whichever side."""
        return True

    def _losses(self) -> tuple[float, float] | None:
        """Return the loss by hand and autograd's, where they are not the same."""
        losses = self.sides.losses
        if len(losses) != 2 or not np.isfinite(losses).all():
            return None
        differ = abs(losses[0] - losses[1]) > SAME * max(1.0, abs(losses[1]))
        return (losses[0], losses[1]) if differ else None

    # ── trials ───────────────────────────────────────────────────────────────

    def groups(self, tensor: str) -> list[list[Origin]]:
        """Return each origin by itself: one side is made wrong, the other is not."""
        return [[origin] for origin in self.origins[tensor]]

    def refusal(self, response: Response, corruption: Corruption) -> Refusal | None:
        """Return how a response refuses, against that to a pair that agrees."""
        return refusal(self.base, response)

    def is_absent(self, tensor: str) -> bool:
        """Return whether other gradients occur in a run."""
        return any(self.origins.values())

    def says_no(self) -> bool:
        """Return whether it refuses a pair that agrees.

        Where only printed words say so, a plainly wrong pair must not change them.
        """
        if self.check is None or not self.base.objects:
            return objects(self, self.base)
        if self.base.refuses or self.base.booleans:
            return True
        return not any(self.tried(t, GROSS)[0] is TrialOutcome.REFUSED for t in TENSORS)

    # ── what else a run shows ────────────────────────────────────────────────

    def runs_a_side(self) -> bool:
        """Return whether a run comes past the code of either side, or computes what one does.

        Where it looks at no input at all, any array counts: it may have been kept from before.
        """
        first = self.first
        if (self.sides.hand_places | self.sides.auto_places) & first.visited.keys():
            return True
        if first.leaves or self._finds_gradients():
            return True
        return first.computes and not any(role == "input" for role, _ in first.sights)

    def runs_autograd(self) -> bool:
        """Return whether a run comes past autograd's side."""
        only = self.sides.auto_places - self.sides.hand_places
        by_auto = (
            o
            for origins in self.origins.values()
            for o in origins
            if o.was.role == GradientSide.AUTO
        )
        return bool(only & self.first.visited.keys() or self.first.leaves or any(by_auto))

    def different(self) -> tuple[tuple[str, ...], Place]:
        """Return the inputs that do not reach both sides alike, and the line of the first.

        The tensors that autograd is given are looked for in a further run, among the values
        that the hand-written side reads.
        """
        if not self.sides.hand_places & self.first.visited.keys():
            return (), NOWHERE
        leaves = {str(i): leaf for i, (leaf, _) in enumerate(self.first.leaves.values())}
        run = Run(files=self.subject.files)
        for name, leaf in leaves.items():
            for form in _forms(np.array(leaf.detach().numpy())):
                run.watch("input", {name: form})
        self.attempt(run)

        def sight(name: str, places: set[int]) -> Sight | None:
            sights = run.sights.get(("input", name), {})
            return first(s for s in sights.values() if not places or s.number in places)

        wrong, strange = list[str](), list[Sight | None]()
        for tensor in self.sides.reads:
            shape = self.inputs[tensor].shape
            alike = [name for name, leaf in leaves.items() if _alike(leaf.shape, shape)]
            if alike and not any(sight(name, self.sides.hand_places) for name in alike):
                wrong.append(tensor)
                strange.append(sight(alike[0], set()))
        earliest = first(s for s in strange if s is not None)
        place = NOWHERE if earliest is None else earliest.through
        return tuple(t for t in TENSORS if t in wrong), place

    def refusal_place(self) -> Place:
        """Return the comparison that turned out badly on a pair that agrees."""
        sides = self.sides.hand_places | self.sides.auto_places
        for number, truths in self.base.truths.items():
            if number not in sides and not all(truths):
                return self.subject.place(number)
        return self.base.place

    def verdict_place(self) -> Place:
        """Return the last `return` of the function that verifies, or its first line."""
        subject = self.subject
        if self.check is None:
            return NOWHERE
        function = inspect.unwrap(self.subject.driver.function("verify"))
        code = getattr(function, "__code__", None)
        path, line = NOWHERE if code is None else (code.co_filename, code.co_firstlineno)
        if path not in subject.files:  # it is called through something of ours
            sides = self.sides.hand_places | self.sides.auto_places
            own = (number for number in self.first.visited if number not in sides)
            path, line = next((subject.place(number) for number in own), NOWHERE)
        if not path:
            return NOWHERE
        around = [
            node
            for node in walk(subject.driver.parser.tree(subject.files[path], path))
            if isinstance(node, ast.FunctionDef)
            and min([node.lineno, *(d.lineno for d in node.decorator_list)]) <= line
            and line <= (node.end_lineno or 0)
        ]
        if not around:
            return NOWHERE
        verify = max(around, key=lambda node: node.lineno)
        returns = [n.lineno for n in walk(verify) if isinstance(n, ast.Return)]
        return path, max(returns, default=verify.lineno)


def _as_the_contract(numbers: dict[str, Array]) -> dict[str, Array]:
    """Return W1 as [D, H] and W2 as [H, C]; `nn.Linear` has them turned."""
    W1, W2 = numbers["W1"], numbers["W2"]
    if W1.ndim == W2.ndim == 2 and W1.shape[1] != W2.shape[0] and W1.shape[0] == W2.shape[1]:
        return {**numbers, "W1": W1.T, "W2": W2.T}
    return numbers


def _alike(shape: Any, other: tuple[int, ...]) -> bool:
    a, b = tuple(n for n in shape if n != 1), tuple(n for n in other if n != 1)
    return a in (b, b[::-1])


def _forms(array: Array) -> list[Array]:
    """Return an array as it is, and as the other side may hold it: turned, or with an axis of 1."""
    if array.ndim == 2 and 1 not in array.shape:
        return [array, array.T]
    flat = array.reshape(-1)
    return [flat, flat[None, :], flat[:, None]] if array.ndim < 3 else [array]


def is_given(driver: Driver) -> bool:
    """Return whether the submission's `verify` is handed inputs."""
    function = driver.function("verify")
    return callable(function) and (takes(function, *ARGUMENTS) or not takes(function))


def check_of(driver: Driver) -> Check | None:
    """Return the submission's `verify`, given no arguments where it takes none."""
    function = driver.function("verify")
    if not callable(function):
        return None
    if not is_given(driver):
        return lambda *_: function()
    check: Check = function
    return check
