"""One set of inputs: what a verification says of its two sides, and of spoiled ones.

Child's side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.child import coerce
from grader.child.verifying import saying
from grader.child.verifying.saying import Said
from grader.child.verifying.spoiling import Array, Known, Run, Sight, known
from grader.child.verifying.subject import ARGUMENTS, SAME, Sides, Subject
from grader.child.verifying.surmise import Corruption, inputs_among, spoiled, without_mask

TENSORS = coerce.TENSORS


@dataclass(frozen=True)
class Origin:
    """A place where a gradient arises: what is there, and what is to be there."""

    number: int
    was: Known
    value: Array


class Session:
    """One set of inputs: a run on a pair that agrees, and runs on pairs that do not."""

    def __init__(self, subject: Subject, arguments: list[Array] | None) -> None:
        self.subject, self.arguments = subject, arguments
        self.inputs = dict(zip(ARGUMENTS, arguments or (), strict=False))
        self.sides = subject.sides(arguments) if arguments else Sides()
        self.raw, self.first = self._look()
        if not self._found():
            self._adopt()
        self.origins = {t: self._origins(t) for t in TENSORS}
        self.unequal = [t for t in TENSORS if self.sides.differ(t)]
        self.equalised = bool(self.unequal) or self._loss_swap() is not None
        self.base, self.can = self.raw, True
        if self.equalised:
            run = self._run()
            self.base = subject.attempt(run, arguments)
            self.can = set(self.unequal) <= run.swapped
        self._masked: dict[str, Array] | None = None

    # ── looking ──────────────────────────────────────────────────────────────

    def _look(self) -> tuple[Said, Run]:
        """A run as it is, that notes where known arrays are seen."""
        run = Run(learning=True)
        for role, arrays in (("hand", self.sides.hand), ("auto", self.sides.auto)):
            run.watch([known(role, t, a) for t, a in arrays.items()])
        floats = {t: a for t, a in self.inputs.items() if a.dtype.kind == "f"}
        run.watch([known("input", t, a) for t, a in floats.items()])
        return self.subject.attempt(run, self.arguments), run

    def _found(self) -> bool:
        return any(role != "input" for role, _ in self.first.sights)

    def _adopt(self) -> None:
        """It works on numbers of its own: take them from the tensors that autograd was given."""
        seen = [(leaf, at) for leaf, at in self.first.leaves.values() if 0 < leaf.dim() <= 2]
        leaves = [leaf for leaf, _ in seen]
        names = [" ".join(map(self.subject.text, sorted(at))) for _, at in seen]
        arrays = [leaf.detach().numpy() for leaf in leaves]
        found = inputs_among(arrays, names, self.first.labels)
        if found is None:
            return
        chosen, labels = found
        before = self.inputs, self.sides
        self.inputs = {t: np.array(leaves[i].detach().numpy()) for t, i in chosen.items()}
        if labels is not None and "X" in chosen:
            self.inputs["y"] = labels
            self.sides = self.subject.sides([self.inputs[n] for n in ARGUMENTS])
        derived = self.first.derived
        grads = {t: derived.get(id(leaves[i]), leaves[i].grad) for t, i in chosen.items()}
        autos = {t: np.array(g.detach().numpy()) for t, g in grads.items() if g is not None}
        self.sides.auto = self.sides.auto or autos
        self.sides.hand = self.sides.hand or dict(self.sides.auto)
        self.raw, self.first = self._look()
        if not self._found():
            self.inputs, self.sides = before

    def _origins(self, tensor: str) -> list[Origin]:
        """Where the gradient arises by hand, then where autograd gives it."""
        sides, sights = self.sides, self.first.sights
        only_hand = sides.hand_places - sides.auto_places
        only_auto = sides.auto_places - sides.hand_places
        found = []
        by_hand = [s for s in sights.get(("hand", tensor), {}).values() if not s.is_tensor]
        ours = [s for s in by_hand if s.number in only_hand]
        either = [s for s in by_hand if s.number not in only_auto]
        if chosen := _first(ours) or _first(either) or _first(by_hand):
            value = sides.auto[tensor] if sides.differ(tensor) else sides.hand[tensor]
            found.append(Origin(chosen.number, known("hand", tensor, sides.hand[tensor]), value))
        by_auto = list(sights.get(("auto", tensor), {}).values())
        tensors = [s for s in by_auto if s.is_tensor]
        theirs = [s for s in by_auto if s.number in only_auto]
        if (other := _first(tensors) or _first(theirs)) and (not found or other != chosen):
            value = sides.auto[tensor]
            if not found and sides.differ(tensor):
                value = sides.hand[tensor]
            found.append(Origin(other.number, known("auto", tensor, sides.auto[tensor]), value))
        return found

    def _loss_swap(self) -> tuple[float, float] | None:
        """From the loss by hand to autograd's, where they are not the same."""
        losses = self.sides.losses
        if len(losses) != 2 or not np.isfinite(losses).all():
            return None
        differ = abs(losses[0] - losses[1]) > SAME * max(1.0, abs(losses[1]))
        return (losses[0], losses[1]) if differ else None

    def runs_a_side(self) -> bool:
        """Whether a run comes past the code of either side, or past any array it computes."""
        places = self.sides.hand_places | self.sides.auto_places
        return bool(places & self.first.visited.keys() or self.first.computes)

    def different(self) -> tuple[list[str], tuple[str, int]]:
        """Inputs that do not reach both sides alike, and the line by which the first came.

        The tensors that autograd is given are looked for in a further run, among the values
        that the hand-written side reads.
        """
        if not self.sides.hand_places & self.first.visited.keys():
            return [], ("", 0)
        leaves = {str(i): leaf for i, (leaf, _) in enumerate(self.first.leaves.values())}
        run = Run(files=self.subject.files)
        for name, leaf in leaves.items():
            array = np.array(leaf.detach().numpy())
            run.watch([known("input", name, form) for form in _forms(array)])
        self.subject.attempt(run, self.arguments)

        def sight(name: str, places: set[int]) -> Sight | None:
            sights = run.sights.get(("input", name), {})
            return _first([s for s in sights.values() if not places or s.number in places])

        wrong, strange = list[str](), list[Sight | None]()
        for tensor in self.sides.reads:
            shape = self.inputs[tensor].shape
            alike = [name for name, leaf in leaves.items() if _alike(leaf.shape, shape)]
            if alike and not any(sight(name, self.sides.hand_places) for name in alike):
                wrong.append(tensor)
                strange.append(sight(alike[0], set()))
        first = _first([s for s in strange if s is not None])
        return [t for t in TENSORS if t in wrong], ("", 0) if first is None else first.through

    # ── spoiling ─────────────────────────────────────────────────────────────

    def _run(self, *, without: str = "") -> Run:
        """A run in which both sides agree, but for the tensor `without`."""
        run = Run(loss=self._loss_swap())
        for tensor in self.unequal:
            if tensor != without and self.origins[tensor]:
                origin = self.origins[tensor][0]
                run.swap(origin.number, origin.was, origin.value)
        return run

    def tried(self, tensor: str, corruption: Corruption) -> tuple[str, Said | None]:
        """ "accepted" or by what it was refused; "absent", "unapplied" or "inapplicable" else."""
        origins = self.origins[tensor]
        if not origins:
            return ("absent" if any(self.origins.values()) else "unapplied"), None
        outcome, last = "inapplicable", None
        for index, origin in enumerate(origins):
            wrong = spoiled(origin.value, corruption, self._mask_for(tensor, corruption))
            if wrong is None:
                continue
            run = self._run(without=tensor if index == 0 else "")
            run.swap(origin.number, origin.was, wrong)
            run.only = frozenset(self.base.truths)
            said = self.subject.attempt(run, self.arguments)
            if tensor not in run.swapped:
                outcome = "unapplied" if outcome == "inapplicable" else outcome
                continue
            if by := saying.refused(self.base, said):
                return by, said
            outcome, last = "accepted", said
        return outcome, last

    def _mask_for(self, tensor: str, corruption: Corruption) -> Array | None:
        if corruption.kind != "mask" or not all(name in self.inputs for name in ARGUMENTS):
            return None
        if self._masked is None:
            self._masked = without_mask(self.inputs, self.sides.auto or self.sides.hand)
        return self._masked.get(tensor)

    def says_no(self) -> bool:
        """Whether it refuses a pair that agrees.

        Where only printed words say so, a plainly wrong pair must not change them.
        """
        if not self.subject.is_function:
            return self.base.objects  # a script prints all sorts of things
        if not saying.objects(self.base):
            return False
        if self.base.objects or self.base.booleans:
            return True
        gross = Corruption("scale", 2.0)
        return not any(self.tried(t, gross)[0] in saying.WAYS for t in TENSORS)


def _first(sights: list[Sight]) -> Sight | None:
    return min(sights, key=lambda s: s.order, default=None)


def _alike(shape: Any, other: tuple[int, ...]) -> bool:
    a, b = tuple(n for n in shape if n != 1), tuple(n for n in other if n != 1)
    return a in (b, b[::-1])


def _forms(array: Array) -> list[Array]:
    """An array as it is, and as the other side may hold it: turned, or with an axis of 1."""
    if array.ndim == 2 and 1 not in array.shape:
        return [array, array.T]
    flat = array.reshape(-1)
    return [flat, flat[None, :], flat[:, None]] if array.ndim < 3 else [array]
