"""|candidate - autograd| of each gradient, entry by entry, and what the wrong entries share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from grader.checks.view import View, number, symbols
from grader.problem.compare import DERIVED, FLOAT32, error, errors, proportion
from grader.records import TENSORS, Array, ErrorMap

CASES = ("primes", "more_rows", "square", "batch_is_hidden", "batch_is_classes")
"""Small enough to be drawn. `primes` comes first: its sizes tell rows from columns."""

TORCH_CASES = ("primes", "more_rows", "square", "batch_is_classes")

WORST = 5
"""The highest level: an error as large as the gradient itself. Each level down is a tenth."""

NOT_FINITE = 9

AXES = {
    "W1": ("input", "hidden unit"),
    "b1": ("", "hidden unit"),
    "W2": ("hidden unit", "class"),
    "b2": ("", "class"),
    "X": ("example", "input"),
}
"""What a row and a column of each gradient stand for."""


def error_maps(view: View) -> tuple[ErrorMap, ...]:
    """Return five maps for each part with a wrong gradient; a right part has none."""
    numpy = _part(view, "numpy", "backward", CASES)
    torch = _part(view, "torch", "torch", TORCH_CASES)
    return (*numpy, *torch)


def _part(view: View, part: str, kind: str, cases: tuple[str, ...]) -> tuple[ErrorMap, ...]:
    """The maps on the first case with a wrong gradient: all five on one, to be compared."""
    for case in cases:
        maps = tuple(_maps(view, part, f"{kind}/{case}", case))
        if any(one.wrong for one in maps):
            return maps
    return ()


def _maps(view: View, part: str, step: str, case: str) -> Iterator[ErrorMap]:
    arrays = view.step(step).arrays
    for tensor in TENSORS:
        if tensor in arrays:
            yield error_map(view, part, case, tensor, arrays[tensor])


def error_map(view: View, part: str, case: str, tensor: str, got: Array) -> ErrorMap:
    """Return one gradient's map; `levels` is empty where its shape is wrong.

    PyTorch works in float32 if the candidate does, so there float32's limit counts.
    """
    expected = view.expected(case)
    want = expected[f"d{tensor}"]
    if np.squeeze(got).shape != np.squeeze(want).shape:
        sizes = expected.case.sizes
        words = f"shape {symbols(got.shape, sizes)} instead of {symbols(want.shape, sizes)}"
        return ErrorMap(part, tensor, case, want.shape, (), words, wrong=True)
    got = got.reshape(want.shape).astype(np.float64)
    small = expected.limit(FLOAT32 if part == "torch" else None)
    levels = _levels(errors(got, want, expected.natural_size(f"d{tensor}")), small)
    wrong = bool(levels.any())
    words = pattern(tensor, got, want, levels > 0) if wrong else ""
    return ErrorMap(part, tensor, case, want.shape, tuple(levels.ravel().tolist()), words, wrong)


def _levels(off: Array, small: float) -> Array:
    """0 within tolerance; above it 1 to `WORST` by decades, `WORST` from the gradient's size on."""
    within = off <= small
    if within.all():  # as most gradients are
        return np.zeros(off.shape, np.int64)
    with np.errstate(all="ignore"):
        decades = np.floor(np.log10(np.where(off > 0, off, 1.0)) + WORST)
    levels = np.where(within, 0, np.clip(decades, 1, WORST))
    return np.where(np.isfinite(off), levels, NOT_FINITE).astype(np.int64)


# ── what the wrong entries share ─────────────────────────────────────────────


def pattern(tensor: str, got: Array, want: Array, wrong: Array) -> str:
    """Return in words what the `wrong` entries have in common; nothing is guessed.

    The arrays have the gradient's shape; there is at least one wrong entry.
    """
    if not np.isfinite(got).all():
        return f"{_of(~np.isfinite(got))} are not finite"
    if not got.any():
        return "every entry is 0"
    ratio = proportion(got, want)
    if ratio is not None:
        return f"every entry is {number(ratio)} × autograd’s"
    if got.ndim == 2 and got.shape[0] == got.shape[1] and error(got, want.T) <= DERIVED:
        return "it is the transpose of autograd’s"
    if error(np.abs(got), np.abs(want)) <= DERIVED:
        return f"the sizes are right, the signs of {_of(wrong)} are not"
    return _lines(tensor, wrong) or _factors(got, want) or _spread(wrong)


def _lines(tensor: str, wrong: Array) -> str:
    """Whole rows or whole columns that are wrong while the others are right."""
    plane = np.atleast_2d(wrong)
    across, down = AXES[tensor]
    for axis, name in ((1, across), (0, down)):
        bad, touched = plane.all(axis=axis), plane.any(axis=axis)
        if name and (bad == touched).all() and not bad.all() and plane.shape[axis] > 1:
            count = int(bad.sum())
            noun = "row" if axis else "column"
            which = f"{count} of {bad.size} {noun}s are wrong throughout, the others right"
            return f"{which}: a {noun} is one {name}"
    return ""


def _factors(got: Array, want: Array) -> str:
    """Each row, or each column, off by a factor of its own."""
    if got.ndim != 2:
        return ""
    for name, a, b in (("row", got, want), ("column", got.T, want.T)):
        live = [(g, w) for g, w in zip(a, b, strict=True) if w.any()]
        if len(live) > 1 and min(g.size for g, _ in live) > 2:
            known = [proportion(g, w) for g, w in live]
            if all(r is not None for r in known):
                return f"each {name} is autograd’s times a factor of its own"
    return ""


def _spread(wrong: Array) -> str:
    return "every entry is wrong" if wrong.all() else f"{_of(wrong)} are wrong"


def _of(wrong: Array) -> str:
    return f"{int(wrong.sum())} of {wrong.size} entries"
