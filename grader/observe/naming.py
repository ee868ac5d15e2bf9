"""Reading a value back as a tensor of the problem: `(P - Y) / B` is `dZ2`, `dZ2 * B` is `B·dZ2`.

Every known tensor has a fingerprint that neither transposing nor scaling
changes, so one look tells which few a value has to be compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from grader.problem import Expected
from grader.problem.compare import FLOAT32, FLOAT64, NAMED
from grader.records import Array, Case

CLOSE, CLOSE_SINGLE = NAMED[FLOAT64], NAMED[FLOAT32]
"""Relative gap, of the largest entry, within which a value is a tensor; by its dtype."""


@dataclass(frozen=True, slots=True)
class Name:
    """A tensor, perhaps times a factor, transposed, or in another shape.

    `factor` as text ("1", "B", "-1/B", …) with its `amount`; `form` is "" or says
    how the shape differs: "column", "row", "reshaped", "broadcast".
    """

    base: str
    factor: str = "1"
    amount: float = 1.0
    transposed: bool = False
    form: str = ""

    @property
    def exact(self) -> bool:
        """Return whether it is the tensor itself and not a multiple of it."""
        return self.factor == "1"

    def __str__(self) -> str:
        base = f"{self.base}.T" if self.transposed else self.base
        sign = "-" if self.factor.startswith("-") else ""
        size = self.factor.removeprefix("-")
        if size == "1":
            return f"{sign}{base}"
        if size.startswith("1/"):
            return f"{sign}{base}/{size.removeprefix('1/')}"
        return f"{sign}{size}·{base}"


def factors(sizes: Mapping[str, int]) -> tuple[tuple[str, float], ...]:
    """Return the constants by which a value may differ from a tensor, the likeliest first."""
    B, C, H = (float(sizes[s]) for s in "BCH")
    plain = (
        *(("1", 1.0), ("B", B), ("1/B", 1 / B), ("1/(B·B)", 1 / B**2), ("C", C), ("1/C", 1 / C)),
        *(("1/(B·C)", 1 / (B * C)), ("B·C", B * C), ("B·B", B * B), ("1/H", 1 / H), ("2", 2.0)),
    )
    signed = [(f"{sign}{text}", -v if sign else v) for text, v in plain for sign in ("", "-")]
    return tuple(signed)


# ── the tensors ──────────────────────────────────────────────────────────────


def known_tensors(expected: Expected) -> dict[str, Array]:
    """Return every tensor that a right solution may come by, from the oracle's values of a case."""
    return tensors_of(expected.case, expected.values)


def tensors_of(case: Case, values: Mapping[str, Array]) -> dict[str, Array]:
    """Return the same for any values: `Z1 H1 Z2 P loss dZ2 dH1 dZ1` and, if at hand, gradients.

    So a submission with a known fault is read against the tensors that the fault gives it.
    What `values` leaves out is derived from what it has, or left out too.
    """
    known = {n: np.asarray(a, np.float64) for n, a in case.inputs.items()}
    order = ("Z1", "H1", "Z2", "P", "logP", "loss", "dZ2", "dH1", "dZ1")
    gradients = ("dW1", "db1", "dW2", "db2", "dX")
    known |= {n: np.asarray(values[n], np.float64) for n in (*order, *gradients) if n in values}
    with np.errstate(all="ignore"):
        known |= _forward_parts(known)
        known |= _backward_parts(known)
    return known


def _forward_parts(k: Mapping[str, Array]) -> dict[str, Array]:
    """Return steps inside the formulas: scores without biases, the softmax's parts, labels."""
    Z1, Z2, y = k["Z1"], k["Z2"], k["y"].astype(np.int64)
    rows = np.arange(len(y))
    shifted = Z2 - Z2.max(axis=1, keepdims=True)
    E = np.exp(shifted)
    sums = E.sum(axis=1)
    logP = k.get("logP", shifted - np.log(sums)[:, None])
    P = k.get("P", E / sums[:, None])
    onehot = np.eye(Z2.shape[1])[y]
    return {
        "logP": logP,
        "P": P,
        "X @ W1": k["X"] @ k["W1"],
        "H1 @ W2": k["H1"] @ k["W2"],
        "mask": Z1 > 0,
        "not mask": Z1 <= 0,
        "row max": Z2.max(axis=1),
        "Z2 - max": shifted,
        "exp(Z2 - max)": E,
        "sums": sums,
        "log(sums)": np.log(sums),
        "logsumexp": np.log(sums) + Z2.max(axis=1),
        "exp(Z2)": np.exp(Z2),
        "sums of exp(Z2)": np.exp(Z2).sum(axis=1),
        "onehot": onehot,
        "not onehot": 1.0 - onehot,
        "rows": rows,
        "p_true": P[rows, y],
        "losses": -logP[rows, y],
        "Z2 true": Z2[rows, y],
        "Z2 - max, true": shifted[rows, y],
        "onehot * logP": onehot * logP,
        "onehot * P": onehot * P,
    }


def _backward_parts(k: Mapping[str, Array]) -> dict[str, Array]:
    """Return steps inside the formulas of the gradients, as far as their own inputs are at hand."""
    onehot = np.eye(k["Z2"].shape[1])[k["y"].astype(np.int64)]
    parts: dict[str, Array] = {"P - onehot": k["P"] - onehot, "dP": -onehot / k["P"] / len(onehot)}
    parts["1 - P"] = 1.0 - k["P"]
    parts["P * (1 - P)"] = k["P"] * (1.0 - k["P"])
    if "dH1" in k:
        parts |= {"dH1 > 0": k["dH1"] > 0, "dH1 <= 0": k["dH1"] <= 0}
    return parts


# ── finding the name ─────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Namer:
    """Names values against one set of tensors.

    An exact match wins over a multiple, an earlier tensor over a later one.
    Nothing is named by accident: constant arrays and single numbers stay
    nameless, but for B, 1/B and the loss.
    """

    known: Mapping[str, Array]
    sizes: Mapping[str, int]
    _named: dict[tuple[object, ...], Name | None] = field(default_factory=dict, compare=False)

    @cached_property
    def _arrays(self) -> list[tuple[str, Array]]:
        arrays = {n: np.asarray(a, np.float64) for n, a in self.known.items()}
        return [(n, a) for n, a in arrays.items() if a.size > 1 and tells(a)]

    @cached_property
    def _fingerprints(self) -> tuple[Array, Array, Array]:
        """Size, Σ|a| and (Σ|a|)²/Σa² of every tensor."""
        arrays = [a for _, a in self._arrays]
        sizes = np.array([a.size for a in arrays])
        with np.errstate(all="ignore"):
            totals = np.array([np.abs(a).sum() for a in arrays])
            squares = np.array([np.vdot(a, a) for a in arrays])
            return sizes, totals, totals**2 / squares

    @cached_property
    def _factors(self) -> tuple[tuple[str, float], ...]:
        return factors(self.sizes)

    def __call__(self, array: Array) -> Name | None:
        """Return the name of a value. NaN and infinities have none."""
        key = (array.shape, array.dtype.char, array.tobytes())
        if key not in self._named:  # most values of a source come by several times
            self._named[key] = self._name(array)
        return self._named[key]

    def _name(self, array: Array) -> Name | None:
        if array.size == 0:
            return None
        close = CLOSE_SINGLE if array.dtype == FLOAT32 else CLOSE
        value = array.astype(np.float64)
        if array.size == 1:
            return self._scalar(float(value.reshape(-1)[0]), close)
        match = self._array(value, close)
        return match or self._broadcast(value, close)

    def _scalar(self, value: float, close: float) -> Name | None:
        B = float(self.sizes["B"])
        if value == B:
            return Name("B")
        if abs(value * B - 1.0) <= close:
            return Name("1/B")
        known = np.asarray(self.known.get("loss", 0.0), np.float64)
        loss = known.item() if known.size == 1 else 0.0  # a fault may leave one per example
        if loss == 0.0:
            return None
        amount = value / loss
        match = self._factor(amount, close)
        return Name("loss", *match) if match else None

    def _factor(self, amount: float, close: float) -> tuple[str, float] | None:
        for text, factor in self._factors:
            if abs(amount - factor) <= 10 * close * abs(factor):
                return text, factor
        return None

    def _array(self, value: Array, close: float) -> Name | None:
        with np.errstate(all="ignore"):
            total, square = float(np.abs(value).sum()), float(np.vdot(value, value))
            if not (0.0 < square < np.inf) or not tells(value):
                return None
            sizes, totals, ratios = self._fingerprints
            fits = (sizes == value.size) & (
                np.abs(ratios - total**2 / square) <= 100 * close * ratios
            )
        best: Name | None = None
        for index in np.flatnonzero(fits):
            name, want = self._arrays[index]
            match = self._compared(value, name, want, total / float(totals[index]), close)
            if match is not None and match.exact:
                return match
            best = best or match
        return best

    def _compared(
        self, value: Array, name: str, want: Array, size: float, close: float
    ) -> Name | None:
        """Return `value` as a form of `want`, where their sizes are in the proportion `size`."""
        for sign in (1.0, -1.0):
            match = self._factor(sign * size, close)
            if match is None:
                continue
            target = want * match[1]
            gap = close * float(np.abs(target).max())
            for form, transposed, shaped in _forms(value, target):
                if np.abs(value - shaped).max() <= gap:
                    return Name(name, *match, transposed, form)
        return None

    def _broadcast(self, value: Array, close: float) -> Name | None:
        """Return one row or column repeated, as `np.tile` and `broadcast_to` leave it."""
        if value.ndim != 2 or 1 in value.shape:
            return None
        for part, whole in ((value[0], value[:1]), (value[:, 0], value[:, :1])):
            if np.array_equal(np.broadcast_to(whole, value.shape), value):
                match = self._array(part, close)
                return replace(match, form="broadcast") if match else None
        return None


def tells(array: Array) -> bool:
    """Return whether an array is no constant: constants are alike by chance."""
    flat = array.reshape(-1)
    return bool((flat != flat[0]).any())


def _forms(value: Array, want: Array) -> list[tuple[str, bool, Array]]:
    """Return (form, transposed, `want` in the shape of `value`) where the shapes allow it."""
    if value.shape == want.shape:
        square = value.ndim == 2 and value.shape[0] == value.shape[1]
        return [("", False, want), *([("", True, want.T)] if square else [])]
    if value.shape == want.T.shape:
        return [("", True, want.T)]
    if value.size != want.size:
        return []
    if want.ndim == 1 and value.ndim == 2:
        return [("column" if value.shape[1] == 1 else "row", False, want.reshape(value.shape))]
    if value.ndim == 1 or value.squeeze().shape == want.squeeze().shape:
        return [("reshaped", False, want.reshape(value.shape))]
    return []
