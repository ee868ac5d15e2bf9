"""Mutants: solutions with one labelled mistake, or two, that make a difference."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from grader.problem.cases import make_cases
from grader.records import TENSORS, Case

from .backward import LOSS_SIDE
from .edit import Mistake, applied
from .forward import FORWARD
from .layers import LAYERS
from .pytorch import PYTORCH
from .values import Solution

SEED = 11
ORDINARY = ("primes", "more_rows", "square", "batch_is_classes")
NUMPY = (*ORDINARY, "absent", "overflow", "underflow", "offsets", "zeros")
Outcome = Mapping[str, Any]


@dataclass(frozen=True)
class Label:
    """What a diagnosis should say of one mistake; `tensors` None where that is not clear."""

    codes: tuple[str, ...]
    lines: tuple[int, ...]
    near: tuple[int, ...]
    tensors: frozenset[str] | None


@dataclass(frozen=True)
class Mutant:
    """One wrong solution with the labels of its mistakes."""

    name: str
    source: str
    labels: tuple[Label, ...]
    mistakes: tuple[Mistake, ...] = field(repr=False, default=())


class Workshop:
    """The correct solutions, what they answer, and all mistakes that can be made in them."""

    def __init__(self, styles: Mapping[str, str], seed: int = SEED) -> None:
        torch.set_num_threads(1)
        made = make_cases(seed)
        self.cases = [made[name] for name in NUMPY]
        self.styles = dict(styles)
        self.right = {name: self.outcome(source) for name, source in self.styles.items()}
        self.mistakes: list[Mistake] = []
        for name, source in self.styles.items():
            solution = Solution(name, source, made["primes"])
            seen = {source}
            for operator in (*FORWARD, *LOSS_SIDE, *LAYERS, *PYTORCH):
                for one in operator(solution):
                    if (text := applied(source, one)) not in seen:
                        seen.add(text)
                        self.mistakes.append(one)

    def outcome(self, source: str) -> dict[str, Any]:
        """All numbers that a solution gives, by case; an exception's name where it raises."""
        module: dict[str, Any] = {"__name__": "solution"}
        seen: dict[str, Any] = {}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            exec(compile(source, "solution.py", "exec"), module)
            for case in self.cases:
                self._one(module, case, seen)
        return seen

    def _one(self, module: Mapping[str, Any], case: Case, seen: dict[str, Any]) -> None:
        inputs = case.inputs
        try:
            loss, cache = module["forward"](**inputs)
            seen[f"{case.name} loss"] = loss
            again = module["backward"]
            for call, grads in enumerate((again(cache), again(cache))):
                for t in TENSORS:
                    value = grads.get(t)
                    seen[f"{case.name} {t}" + " again" * call] = (
                        None if value is None else np.array(value)
                    )
        except Exception as error:
            seen[f"{case.name} raises"] = type(error).__name__
        if case.name == "primes":
            try:
                module["forward"](**self.cases[2].inputs)
                between = module["backward"](cache)["W1"]
                seen["interleaved"] = None if between is None else np.array(between)
                seen["verify"] = bool(module["verify"](**inputs))
            except Exception as error:
                seen["verify"] = type(error).__name__
        if case.name in (*ORDINARY, "overflow"):
            for call in range(2):
                self._torch(module, case, seen, f"{case.name} torch" + " again" * call)

    def _torch(self, module: Mapping[str, Any], case: Case, seen: dict[str, Any], key: str) -> None:
        try:
            loss, grads = module["torch_forward_backward"](**case.inputs)
            seen[f"{key} loss"] = float(loss)
            for t in TENSORS:
                value = grads.get(t)
                seen[f"{key} {t}"] = None if value is None else np.array(value)
        except Exception as error:
            seen[f"{key} raises"] = type(error).__name__

    def judged(self, one: Mistake) -> Mutant | None:
        """The mutant of one mistake; None when its label does not fit what it does."""
        source = applied(self.styles[one.style], one)
        try:
            got = self.outcome(source)
        except Exception:
            return None  # it does not even load
        want = self.right[one.style]
        changed = {key for key in want.keys() | got.keys() if not same(want.get(key), got.get(key))}
        unasked = one.code in UNSEEN
        if one.shows == (not changed) and not unasked:
            return None
        if raises(got) and not one.raises and not one.code.startswith("torch-"):
            return None
        ordinary = {k for k in changed if k.split()[0] in ORDINARY}
        if not one.ordinary and ordinary:
            return None
        label = Label(one.codes, one.lines, one.near, reached(one, changed, got))
        return Mutant(_name(one), source, (label,), (one,))

    def singles(self, per_code: int) -> list[Mutant]:
        """Up to `per_code` mutants for each code, from as many styles as there are."""
        rng = random.Random(SEED)
        by_code: dict[str, list[Mistake]] = {}
        for one in self.mistakes:
            by_code.setdefault(one.code, []).append(one)
        chosen = []
        for code in sorted(by_code):
            kept: list[Mutant] = []
            for one in in_turns(by_code[code], rng):
                if len(kept) == per_code:
                    break
                if (mutant := self.judged(one)) is not None:
                    kept.append(mutant)
            chosen += kept
        return chosen

    def pairs(self, singles: list[Mutant], count: int) -> Iterator[Mutant]:
        """Two mistakes on different lines of one style, neither hidden by the other."""
        rng = random.Random(SEED + 1)
        able = [m for m in singles if m.mistakes[0].code not in ALONE and not m.mistakes[0].raises]
        made: set[frozenset[str]] = set()
        for _ in range(40 * count):
            if len(made) == count:
                return
            first = rng.choice(able)
            second = rng.choice([m for m in able if m.mistakes[0].style == first.mistakes[0].style])
            key = frozenset((first.source, second.source))
            if key in made or not compatible(first.mistakes[0], second.mistakes[0]):
                continue
            if (mutant := self._pair(first, second)) is not None:
                made.add(key)
                yield mutant

    def _pair(self, first: Mutant, second: Mutant) -> Mutant | None:
        one, two = first.mistakes[0], second.mistakes[0]
        source = applied(self.styles[one.style], one, two)
        try:
            got = self.outcome(source)
        except Exception:
            return None
        alone = (self.outcome(first.source), self.outcome(second.source))
        if raises(got) or any(equal(got, other) for other in alone):
            return None
        labels = (*first.labels, *second.labels)
        return Mutant(f"{first.name}+{two.code}@{_at(two)}", source, labels, (one, two))


UNSEEN = (
    "verify-missing",
    "torch-manual-gradient",
    "verify-rejects-correct",
    "torch-precision-lost",
)
"""What these do is not among the numbers compared."""

ALONE = (
    *("verify-missing", "verify-rejects-correct", "hidden-state", "torch-manual-gradient"),
    *("grad-unexplained", "loss-unexplained", "nondeterministic", "relu-zero-convention"),
    *("torch-inplace", "torch-graph-detached"),
)
"""Codes that stay out of the pairs: they take the place of the functions, or of the numbers."""

UNCLEAR: tuple[set[str], ...] = (
    {"loss-wrong-gather", "loss-not-scalar"},
    {"grad-from-logits", "grad-softmax-derivative"},
)
"""Pairs in which the one changes what the other is."""

FORWARD_CODES = (
    "bias-",
    "relu-missing",
    "relu-replaced",
    "relu-clipped",
    "softmax-",
    "double-",
    "relu-on-",
    "loss-",
)


def same(want: Any, got: Any) -> bool:
    if want is None or got is None or isinstance(want, (str, bool)) or isinstance(got, (str, bool)):
        return type(want) is type(got) and bool(want == got)
    a, b = np.asarray(want), np.asarray(got)
    return a.shape == b.shape and bool(np.allclose(a, b, 1e-9, 1e-13, equal_nan=True))


def equal(one: Outcome, two: Outcome) -> bool:
    return one.keys() == two.keys() and all(same(one[k], two[k]) for k in one)


def raises(got: Outcome) -> bool:
    return any(f"{case}{part} raises" in got for case in ORDINARY for part in ("", " torch"))


def reached(one: Mistake, changed: set[str], got: Outcome) -> frozenset[str] | None:
    """The tensors whose gradient the mistake changes; not judged for mistakes in a forward."""
    if one.code.startswith(FORWARD_CODES) and not one.code.startswith("bias-grad"):
        return None
    if one.code == "torch-leaf-without-grad":
        return frozenset(t for t in TENSORS if got.get(f"primes torch {t}", 0) is None) or None
    if not one.code.startswith(("grad-", "relu-mask", "dw2", "bias-grad", "weights")):
        return None
    if one.code in ("grad-accumulates", "relu-mask-from-activation", "grad-unexplained"):
        return None
    return frozenset(t for t in TENSORS if any(f"{case} {t}" in changed for case in ORDINARY))


def compatible(one: Mistake, two: Mistake) -> bool:
    """Whether two mistakes can stand in one file, on different lines and with different codes."""
    if one.style != two.style or set(one.codes) & set(two.codes) or set(one.lines) & set(two.lines):
        return False
    if {one.code, two.code} in UNCLEAR:
        return False
    spans = sorted((start, end) for m in (one, two) for start, end, _ in m.edits)
    return all(a[1] <= b[0] and a != b for a, b in itertools.pairwise(spans))


def in_turns(mistakes: list[Mistake], rng: random.Random) -> Iterator[Mistake]:
    """The mistakes in random order, one from each style in turn."""
    by_style: dict[str, list[Mistake]] = {}
    for one in rng.sample(mistakes, len(mistakes)):
        by_style.setdefault(one.style, []).append(one)
    queues = list(by_style.values())
    while queues:
        for queue in queues:
            yield queue.pop()
        queues = [q for q in queues if q]


def _at(one: Mistake) -> str:
    return str(one.lines[0]) if one.lines else "-"


def _name(one: Mistake) -> str:
    return f"{one.style}:{one.code}@{_at(one)}"
