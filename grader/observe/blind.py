"""Blind trials: arrays of the judge's in the place of both sides' gradients, right or wrong.

What a child reports of a verification may be made up: the candidate's code runs in the same
process. So what it claims is put to the test. In each of `RIGHT` + the wrong trials both sides
give arrays from here, on inputs of their own. A coin that only the judge knows says whether
they agree; half of those that agree are both multiplied by the same secret factor, so that
they are not what either side would compute. The child replies what the verification said,
taken apart, and the judge counts: only what compares the numbers of the two sides can accept
the pairs that agree and refuse the others.

Each of the five that is said to be noticed is made wrong twice on each side at least, so there
are 10 wrong trials or more (`LEAST_WRONG`) among 10 right ones, in secret order. Whoever says
yes and no without looking, and even knows how many are wrong, passes with a probability of at
most 1 in C(20, 10) = 184 756, that is 5.4e-6. Where the factor counts for nothing (a check that
takes differences besides), 5 of the right ones are left: 1 in C(15, 5) = 3 003 by knowing that
number and 1 in C(20, 5) = 15 504 with the others, 6.4e-5.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.child.reports import (
    Corruption,
    CorruptionKind,
    GradientSide,
    SayingReport,
    TrialOutcome,
)
from grader.child.trials.corruption import marked
from grader.observe.trials import Doubt, Trial
from grader.problem import network
from grader.problem.cases import fresh_case
from grader.records import TENSORS, Array, Case

SIZES = (3, 5, 4, 2)
"""B, D, H, C: all different, and few entries."""

RIGHT = 10
"""Pairs that agree; every second one is off by a factor."""

LEAST_WRONG = 10

ONE_IN = 10_000
"""How many ways there have to be to say yes and no as often, where trials did not all end."""

FACTORS = (1.25, 2.5)
"""What both sides of a pair are multiplied by."""

UNCHANGED = (1.0, 0.0, 0.0)
"""The mark that changes nothing: see `corruption.marked`."""

ROOM, CHANGED = 10.0, 1e-7
"""A number says no where it leaves the range of the right ones by `ROOM` times its width."""


@dataclass(frozen=True)
class BlindTrial:
    """One run: both sides' arrays by `hand W1`, and which of them is wrong, how (None: none).

    `scaled`: both sides are off by the same factors. `gross` where any error will do.
    """

    arrays: Mapping[str, Array]
    inputs: Mapping[str, Array]
    scaled: bool = False
    tensor: str = ""
    side: GradientSide | None = None
    corruption: Corruption | None = None
    gross: bool = False

    @property
    def wrong(self) -> bool:
        """Return whether the two sides differ."""
        return self.corruption is not None

    @property
    def name(self) -> str:
        """Return which gradient is wrong, as a child names it."""
        return f"{self.side} {self.tensor}"


# ── what is asked ────────────────────────────────────────────────────────────


def generator() -> np.random.Generator:
    """Return the coin: no seed of the run tells how it falls."""
    return np.random.default_rng(secrets.randbits(128))


def plan(claims: Sequence[Trial], rng: np.random.Generator, *, given: bool) -> list[BlindTrial]:
    """Return the trials in secret order that put `claims` to the test: trials said to be refused.

    `given`: the verification is handed inputs. One with numbers of its own is sent marks, by
    which the child changes what it finds: the same three numbers for both sides, or others.
    """
    wrong = list(_wrong(claims, rng))
    while wrong and len(wrong) < LEAST_WRONG:
        wrong.append(wrong[int(rng.integers(len(wrong)))])
    made = [_right(rng, given=given, scaled=i % 2 == 1) for i in range(RIGHT)]
    for claim, side, gross in wrong:
        right = _right(rng, given=given, scaled=bool(rng.integers(2)))
        made.append(_spoiled(right, claim, side, rng, gross=gross))
    return [made[int(i)] for i in rng.permutation(len(made))]


def _wrong(
    claims: Sequence[Trial], rng: np.random.Generator
) -> Iterator[tuple[Trial, GradientSide, bool]]:
    """Yield for each tensor a plain error on each side, and the least one on one of them."""
    for tensor in TENSORS:
        of_tensor = [t for t in claims if t.tensor == tensor and t.kind in _KINDS]
        if not of_tensor:
            continue
        for side in GradientSide:
            gross = [t for t in of_tensor if t.gross] or of_tensor
            yield gross[int(rng.integers(len(gross)))], side, True
        if least := [t for t in of_tensor if not t.gross]:
            yield least[0], list(GradientSide)[int(rng.integers(2))], False


_KINDS = (CorruptionKind.SCALE, CorruptionKind.ENTRY)
"""What can be done to a gradient of any shape."""


def _right(rng: np.random.Generator, *, given: bool, scaled: bool) -> BlindTrial:
    """Return a trial in which both sides give the same."""
    inputs: Mapping[str, Array] = {}
    right: Mapping[str, Array] = {t: np.array(UNCHANGED) for t in TENSORS}
    if given:
        case = fresh_case(rng, "blind", SIZES)
        inputs, right = case.inputs, gradients(case)
    if scaled:
        factors = {t: float(rng.uniform(*FACTORS)) for t in TENSORS}
        right = {t: _changed(a, (f, 0.0, 0.0), given=given) for (t, a), f in _with(right, factors)}
    return BlindTrial(
        {f"{s} {t}": a for s in GradientSide for t, a in right.items()}, inputs, scaled
    )


def _with(
    arrays: Mapping[str, Array], factors: Mapping[str, float]
) -> Iterator[tuple[tuple[str, Array], float]]:
    return zip(arrays.items(), factors.values(), strict=True)


def _spoiled(
    right: BlindTrial, claim: Trial, side: GradientSide, rng: np.random.Generator, *, gross: bool
) -> BlindTrial:
    """Return the same trial with one gradient of one side wrong, as was said to be refused."""
    name = f"{side} {claim.tensor}"
    by_scale = claim.kind is CorruptionKind.SCALE
    share = float(rng.uniform(0.05, 0.95))
    change = (claim.amount, 0.0, 0.0) if by_scale else (1.0, share, 1.0)
    wrong = _changed(right.arrays[name], change, given=bool(right.inputs))
    return replace(
        right,
        arrays={**right.arrays, name: wrong},
        tensor=claim.tensor,
        side=side,
        corruption=Corruption(claim.kind, claim.amount),
        gross=gross,
    )


def _changed(array: Array, change: tuple[float, float, float], *, given: bool) -> Array:
    """Return a gradient changed by a mark, or a mark that does so beside what it does already."""
    if given:
        return marked(array, np.array(change))
    return np.array((array[0] * change[0], array[1] + change[1], array[2] + change[2]))


def gradients(case: Case) -> dict[str, Array]:
    """Return the right gradients of a case, by tensor."""
    flow = network.forward(case, {})
    for step in ("dZ2", "dH1", "dZ1"):
        flow[step] = network.RIGHT[step](flow)
    return {t: np.ascontiguousarray(network.RIGHT[t](flow)) for t in TENSORS}


def items_of(
    trials: Sequence[BlindTrial], first: Case, *, given: bool, apart: bool
) -> dict[str, Any]:
    """Return what a child is sent; `first` are inputs on which it may look around.

    `apart`: the two sides differ somewhere, though perhaps not on these inputs.
    """
    items: dict[str, Any] = {"runs": str(len(trials))}
    items |= {"given": str(int(given)), "apart": str(int(apart))}
    items |= {f"{name}.0": array for name, array in first.inputs.items()}
    for number, trial in enumerate(trials, 1):
        items |= {f"{name}.{number}": array for name, array in trial.inputs.items()}
        items |= {f"{n.replace(' ', '_')}.{number}": a for n, a in trial.arrays.items()}
    return items


# ── what is counted ──────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Count:
    """What the judge counted: claims that do not hold, as the trials say now; and a doubt."""

    trials: tuple[Trial, ...]
    doubt: Doubt = Doubt.NONE


def refuses(saying: SayingReport, rights: Sequence[SayingReport], *, by_script: bool) -> bool:
    """Return whether a run said no, beside what was said of pairs that agree."""
    if saying.refuses:
        return True
    if not by_script and saying.booleans:
        return not all(saying.booleans)
    if not by_script and any(right.booleans for right in rights):
        return True  # no verdict any more
    if not rights:
        return False
    if not by_script and (_leaves_range(saying, rights) or _other_texts(saying, rights)):
        return True
    if saying.bad > max(r.bad for r in rights) or saying.good < min(r.good for r in rights):
        return True
    always_true = set.intersection(*(set(r.true) - set(r.false) for r in rights))
    always_false = set.intersection(*(set(r.false) - set(r.true) for r in rights))
    return bool(always_true & set(saying.false) or always_false & set(saying.true))


def _other_texts(saying: SayingReport, rights: Sequence[SayingReport]) -> bool:
    return saying.texts not in {r.texts for r in rights}


def _leaves_range(saying: SayingReport, rights: Sequence[SayingReport]) -> bool:
    """Return whether a number is out of the range that it has on pairs that agree."""
    lengths = {len(r.numbers) for r in rights}
    if len(saying.numbers) not in lengths:
        return True
    if len(lengths) > 1 or not saying.numbers:
        return False
    known = np.array([r.numbers for r in rights])
    low, high = known.min(axis=0), known.max(axis=0)
    room = ROOM * (high - low) + CHANGED * (1.0 + np.abs(high))
    now = np.array(saying.numbers)
    return bool((~((now >= low - room) & (now <= high + room)) & np.isfinite(low)).any())


def count(
    claimed: Sequence[Trial],
    asked: Sequence[BlindTrial],
    sayings: Sequence[SayingReport],
    *,
    by_script: bool,
    differences: bool,
) -> Count:
    """Return which claims hold. `differences`: it takes some besides, and may know the truth."""
    both = list(zip(asked, sayings, strict=False))
    true = [s for a, s in both if not a.wrong and not a.scaled]
    off = [s for a, s in both if not a.wrong and a.scaled]

    def no(saying: SayingReport) -> bool:
        return refuses(saying, true, by_script=by_script)

    wrong = [(a, s) for a, s in both if a.wrong]
    unseen = any(a.name not in s.placed for a, s in wrong)
    accepted = [a for a, s in wrong if not no(s) and a.name in s.placed]
    trials = tuple(_as_counted(trial, accepted) for trial in claimed)
    refused_right = sum(map(no, true)), sum(map(no, off))
    doubt = Doubt.NONE
    if math.comb(len(both), len(wrong)) < ONE_IN:
        doubt = Doubt.UNFINISHED
    elif refused_right[0]:
        doubt = Doubt.REFUSES_RIGHT
    elif refused_right[1] and not differences:
        doubt = Doubt.THIRD
    elif unseen:
        doubt = Doubt.ONE_SIDE
    if accepted and refused_right[0]:  # it says yes and no to both
        trials = tuple(let_through(trial, None) for trial in claimed)
    return Count(trials, doubt)


def _as_counted(trial: Trial, accepted: Sequence[BlindTrial]) -> Trial:
    """Return a trial as it counts: what is said to be refused, but passed, was accepted."""
    of_tensor = [a for a in accepted if a.tensor == trial.tensor]
    for blind in of_tensor:
        assert blind.corruption is not None
        if blind.gross or (trial.kind, trial.amount) == _what(blind.corruption):
            return let_through(trial, blind.side)
    return trial


def _what(corruption: Corruption) -> tuple[CorruptionKind, float]:
    return corruption.kind, corruption.amount


def let_through(trial: Trial, side: GradientSide | None) -> Trial:
    """Return a trial that was said to be refused as accepted, for an error of that side."""
    if trial.outcome is not TrialOutcome.REFUSED:
        return trial
    values = {name: getattr(trial, name) for name in trial.__dataclass_fields__}
    return Trial(**values | {"outcome": TrialOutcome.ACCEPTED, "by": None, "side": side})
