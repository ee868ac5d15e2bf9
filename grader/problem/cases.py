"""Seeded inputs, each built so that one kind of mistake cannot hide.

Sizes are distinct primes unless a case says otherwise, so that a shape seen at
run time reads back as symbols. Ordinary cases keep |Z1| away from 0, where the
ReLU has no derivative; only `zeros` goes there, on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from grader.records import Array, Case, read_only

ORDINARY = ("primes", "more_rows", "square", "batch_is_hidden", "batch_is_classes", "absent")
"""Float64 cases on which loss and gradients must simply be right."""

EDGE = ("one_row", "one_hidden", "two_classes")
HUGE = ("overflow", "underflow", "offsets")
LABEL_TYPES = ("labels_int32", "labels_uint8")

PRIMES = ((5, 11, 7, 3), (5, 7, 13, 3), (5, 13, 11, 3), (7, 11, 13, 5), (7, 13, 11, 5))
"""B, D, H, C of `primes`: C < B, so that every class can occur, and B < D (see `zeros`)."""

MORE_ROWS = 17

WIDE = 3.0
"""Spread of X in `primes`: its Z1 is as wide, and passes the bounds that activations have."""

HIGH = 7.0
"""Least maximum of Z1 in `primes`; the highest bound in use is that of ReLU6, which is 6."""

KINK_MARGIN = 2e-3
"""Least |Z1| in the ordinary cases: 300 × the step of the finite differences (6e-6)."""

SMALL = 2
SMALL_MARGIN = 0.1
"""Least |Z1| in `small`: 50 times 2e-3, the widest step that still makes sense."""

EVEN = 0.02
"""Least entry of a gradient in `small`, of the largest: rounding of 1e-10 is then 1e-8 of it."""

HUGE_LOGIT = 1.0e4
"""Size of the huge logits: exp(1e4) overflows and exp(-1e4) underflows in float64 (limit 709)."""

GROWTH = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
"""By which the logits of `primes` are multiplied to see the loss grow, or stop being a number."""

SLOPE_STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
"""Steps of the central differences that are drawn: too long ones curve, too short ones round."""


def make_cases(seed: int) -> dict[str, Case]:
    """Return all cases of one run, by name; the same for the same seed on any machine."""
    rng = np.random.default_rng(seed)
    batch, features, hidden, classes = PRIMES[int(rng.integers(len(PRIMES)))]
    primes = _wide(rng, batch, features, hidden, classes)
    cases = [
        primes,
        _with_rows(rng, primes, MORE_ROWS),
        _twice(primes),
        _ordinary(rng, "square", "B = D = H = C: a transpose keeps its shape", 6, 6, 6, 6),
        _ordinary(rng, "batch_is_hidden", "B = H: b1 broadcasts either way", 7, 11, 7, 5),
        _ordinary(rng, "batch_is_classes", "B = C: b2 and p[:, y] broadcast", 7, 11, 5, 7),
        _absent(rng),
        _ordinary(rng, "one_row", "B = 1", 1, 7, 5, 3),
        _ordinary(rng, "one_hidden", "H = 1", 5, 7, 1, 3),
        _ordinary(rng, "two_classes", "C = 2", 5, 11, 7, 2),
        _labelled(primes, "labels_int32", np.int32),
        _labelled(primes, "labels_uint8", np.uint8),
        _zeros(rng),
        _overflow(rng),
        _underflow(rng),
        _offsets(rng),
        _float32(primes),
        _ordinary(rng, "realistic", "the size of real work", 64, 128, 256, 10, margin=0.0),
        _small(rng),
        _ordinary(rng, "middle", "for finite differences of drawn entries", 16, 16, 16, 16),
    ]
    return {case.name: case for case in cases}


def fresh_case(rng: Generator, name: str, sizes: tuple[int, int, int, int]) -> Case:
    """Return ordinary inputs of these sizes, B, D, H and C, that no graded case uses."""
    return _ordinary(rng, name, "asked once", *sizes)


def perturbed(case: Case, tensor: str, direction: Array, step: float) -> Case:
    """Return `case` with `step * direction` added to one of its tensors."""
    moved_by = case.inputs[tensor] + step * direction
    return _changed(
        case, f"{case.name}{step:+.0e}{tensor}", "central difference", {tensor: moved_by}
    )


def moved(case: Case, directions: Mapping[str, Array], step: float) -> Case:
    """Return `case` with `step` times its direction added to each tensor."""
    arrays = {name: case.inputs[name] + step * by for name, by in directions.items()}
    return _changed(case, f"{case.name}{step:+.0e}", "central difference", arrays)


def grown(case: Case, factor: float) -> Case:
    """Return `case` with its logits times `factor`: the second layer is linear in W2 and b2."""
    arrays = {"W2": case.W2 * factor, "b2": case.b2 * factor}
    return _changed(case, f"{case.name} × {factor:g}", "growing logits", arrays)


def _case(name: str, purpose: str, arrays: Mapping[str, Array]) -> Case:
    return Case(name, purpose, **{n: read_only(a) for n, a in arrays.items()})


def _changed(case: Case, name: str, purpose: str, arrays: Mapping[str, Array]) -> Case:
    return _case(name, purpose, {**case.inputs, **arrays})


def _draw(rng: Generator, batch: int, features: int, hidden: int, classes: int) -> dict[str, Array]:
    """Inputs whose Z1 and Z2 have a spread of about one, with biases that matter."""
    return {
        "X": rng.normal(size=(batch, features)),
        "y": _labels(rng, batch, classes),
        "W1": rng.normal(size=(features, hidden)) / np.sqrt(features),
        "b1": 0.5 * rng.normal(size=hidden),
        "W2": rng.normal(size=(hidden, classes)) * np.sqrt(2.0 / hidden),
        "b2": 0.5 * rng.normal(size=classes),
    }


def _labels(rng: Generator, batch: int, classes: int) -> Array:
    """Labels in which every class occurs, if the batch is large enough.

    So a class count taken from y goes wrong in `absent`, and not by chance elsewhere.
    """
    every = np.arange(classes) if batch >= classes else np.empty(0, np.int64)
    rest = rng.integers(classes, size=batch - len(every))
    return rng.permutation(np.concatenate([every, rest]).astype(np.int64))


def _telling(drawn: dict[str, Array], margin: float) -> bool:
    """Whether the drawn case can tell right from wrong: no kink, and every ReLU state occurs.

    Each row needs an active unit, and active and inactive entries must both
    occur, or a missing mask would go unseen.
    """
    Z1 = drawn["X"] @ drawn["W1"] + drawn["b1"]
    active = Z1 > 0
    rows_alive = bool(active.any(axis=1).mean() > 0.5)
    some_of_both = bool(active.any() and not active.all())
    return bool(np.abs(Z1).min() > margin) and rows_alive and some_of_both


def _ordinary(
    rng: Generator,
    name: str,
    purpose: str,
    batch: int,
    features: int,
    hidden: int,
    classes: int,
    *,
    margin: float = KINK_MARGIN,
) -> Case:
    while True:
        drawn = _draw(rng, batch, features, hidden, classes)
        single = batch * hidden == 1
        if _telling(drawn, margin) or single:
            return _case(name, purpose, drawn)


def _wide(rng: Generator, batch: int, features: int, hidden: int, classes: int) -> Case:
    """Return a case whose Z1 is beyond the bound that an activation may have.

    b1 grows with Z1 and W2 shrinks as much, so that b1 still decides which units are active, and
    the logits, and with them P, are of the size that they have elsewhere.
    """
    while True:
        drawn = _draw(rng, batch, features, hidden, classes)
        for tensor, factor in (("X", WIDE), ("b1", WIDE), ("W2", 1.0 / WIDE)):
            drawn[tensor] = factor * drawn[tensor]
        high = float((drawn["X"] @ drawn["W1"] + drawn["b1"]).max())
        if high > HIGH and _telling(drawn, KINK_MARGIN):
            return _case("primes", "distinct primes", drawn)


def _small(rng: Generator) -> Case:
    """For who differences every entry: few of them, no kink near, no gradient nearly 0.

    Every unit and every example is active somewhere, or gradients would be 0 there, and an
    honest relative error 0/0. B = D = H = C, so that every transpose keeps its shape.
    """
    while True:
        drawn = _draw(rng, SMALL, SMALL, SMALL, SMALL)
        Z1 = drawn["X"] @ drawn["W1"] + drawn["b1"]
        active = Z1 > 0
        alive = bool(active.any(axis=0).all() and active.any(axis=1).all())
        if alive and not active.all() and np.abs(Z1).min() > SMALL_MARGIN and _even(drawn, Z1):
            return _case("small", "for finite differences: B = D = H = C, and few", drawn)


def _even(drawn: dict[str, Array], Z1: Array) -> bool:
    """Whether no entry of a gradient is much smaller than the largest of its tensor."""
    H1 = np.maximum(Z1, 0.0)
    E = np.exp(H1 @ drawn["W2"] + drawn["b2"])
    dZ2 = E / E.sum(axis=1, keepdims=True) - np.eye(SMALL)[drawn["y"]]
    dZ1 = dZ2 @ drawn["W2"].T * (Z1 > 0)
    gradients = (H1.T @ dZ2, dZ2.sum(0), drawn["X"].T @ dZ1, dZ1.sum(0), dZ1 @ drawn["W1"].T)
    return all(np.abs(g).min() > EVEN * np.abs(g).max() for g in gradients)


def _with_rows(rng: Generator, base: Case, rows: int) -> Case:
    """The weights of `base` under another batch size, for ratios over B."""
    while True:
        drawn = base.inputs
        drawn["X"] = rng.normal(size=(rows, base.sizes["D"]))
        drawn["y"] = _labels(rng, rows, base.sizes["C"])
        if _telling(drawn, KINK_MARGIN):
            return _case("more_rows", "the weights of `primes`, another batch size", drawn)


def _twice(base: Case) -> Case:
    arrays = {n: np.concatenate([base.inputs[n], base.inputs[n]]) for n in ("X", "y")}
    return _changed(base, "duplicated", "the batch of `primes`, twice", arrays)


def _absent(rng: Generator) -> Case:
    """Classes 1 and C-1 never occur in y."""
    base = _ordinary(rng, "absent", "two classes, the last one too, are absent", 7, 11, 5, 13)
    present = np.array([c for c in range(13) if c not in (1, 12)])
    return _changed(base, "absent", base.purpose, {"y": rng.choice(present, size=7)})


def _labelled(base: Case, name: str, dtype: type) -> Case:
    purpose = f"labels as {np.dtype(dtype).name}"
    return _changed(base, name, purpose, {"y": base.y.astype(dtype)})


def _float32(base: Case) -> Case:
    arrays = {n: a.astype(np.float32) for n, a in base.inputs.items() if n != "y"}
    return _changed(base, "float32", "the numbers of `primes` in float32", arrays)


def _zeros(rng: Generator) -> Case:
    """Z1 has exact zeros, whatever the order of summation: all its terms are small integers.

    D > B and X of full row rank, so that dZ1 can be recovered from dW1.
    """
    while True:
        drawn = _draw(rng, 5, 11, 7, 3)
        drawn["X"] = rng.integers(-3, 4, size=(5, 11)).astype(np.float64)
        drawn["W1"] = rng.integers(-2, 3, size=(11, 7)).astype(np.float64)
        rows = rng.integers(5, size=7)
        drawn["b1"] = -(drawn["X"] @ drawn["W1"])[rows, np.arange(7)]
        drawn["W2"] = drawn["W2"] / 8.0
        if np.linalg.cond(drawn["X"]) < 10.0 and _telling(drawn, -1.0):
            return _case("zeros", "exact zeros in Z1: the ReLU's convention", drawn)


def _overflow(rng: Generator) -> Case:
    """Logits near ±1e4; the true class is among the large ones, so p is no small number.

    All classes but one are large, and all of those occur in y.
    """
    batch, classes = 7, 5
    base = _ordinary(rng, "overflow", "logits of ±1e4", batch, 11, 13, classes)
    low = int(rng.integers(classes - 1))
    b2 = base.b2 + HUGE_LOGIT
    b2[low] -= 2 * HUGE_LOGIT
    high = np.delete(np.arange(classes), low)
    y = rng.permutation(np.concatenate([high, rng.choice(high, batch - len(high))]))
    return _changed(base, "overflow", base.purpose, {"b2": b2, "y": y})


def _underflow(rng: Generator) -> Case:
    """The true class lies 1e4 below the maximum: p underflows, the loss is about 1e4."""
    base = _ordinary(rng, "underflow", "the true class 1e4 below the maximum", 5, 11, 7, 13)
    low = int(rng.integers(13))
    b2 = base.b2.copy()
    b2[low] -= HUGE_LOGIT
    return _changed(base, "underflow", base.purpose, {"b2": b2, "y": np.full(5, low)})


def _offsets(rng: Generator) -> Case:
    """Each row's logits shifted as a whole, by 0 to 3000: one global maximum empties other rows.

    Hidden unit 0 carries the offset from X's column 0 to all classes alike.
    """
    base = _ordinary(rng, "offsets", "rows with very different offsets", 7, 11, 13, 5)
    drawn = {n: a.copy() for n, a in base.inputs.items()}
    drawn["W1"][0, :], drawn["W1"][:, 0] = 0.0, 0.0
    drawn["W1"][0, 0] = 1.0
    drawn["b1"][0] = 0.5
    drawn["W2"][0, :] = 1.0
    drawn["X"][:, 0] = rng.permutation([0.0, 400.0, 800.0, 1500.0, 2200.0, 2600.0, 3000.0])
    return _changed(base, "offsets", base.purpose, drawn)
