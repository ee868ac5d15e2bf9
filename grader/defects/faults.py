"""What wrong formulas are made of: factors, constants in place of B, and gates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader.problem.network import LEAVES, RIGHT, Fault, Flow, Formula, batch, onehot, rows
from grader.records import Array


def ratio(value: Callable[[Flow], float]) -> Formula:
    """Return a number of the flow, such as 1/B, as a formula."""
    return lambda f: np.asarray(value(f))


def times(step: str, factor: Formula) -> Formula:
    """Return the right value of a step, times a factor."""
    return lambda f: factor(f) * RIGHT[step](f)


def scaled(variant: str, value: Callable[[Flow], float]) -> tuple[Fault, ...]:
    """Return a constant factor in dZ2, in dH1, in dZ1 or in one gradient alone."""
    factor = ratio(value)
    return tuple(
        Fault(step, variant, times(step, factor), scale=factor)
        for step in ("dZ2", "dH1", "dZ1", *LEAVES)
    )


def constant_for_B(step: str) -> Fault:
    """Return a constant that stands where 1/B belongs: t is the constant's inverse."""
    right = RIGHT[step]
    return Fault(
        step,
        "a constant in place of B",
        lambda f: 0.0 * right(f),
        direction=lambda f: batch(f) * right(f),
        constant=True,
    )


def over_B(numerator: Formula) -> Formula:
    """Return a sum over the batch as a mean."""
    return lambda f: numerator(f) / batch(f)


def in_place_of_P(values: Formula) -> Formula:
    """dZ2 with other values than the probabilities."""
    return lambda f: (values(f) - onehot(f)) / batch(f)


def jacobian(dP: Array, P: Array) -> Array:
    """Softmax's Jacobian applied to dP, row by row."""
    return np.asarray(P * (dP - (dP * P).sum(axis=1, keepdims=True)))


def gated(gate: Formula) -> Formula:
    """dZ1 through another gate than Z1 > 0."""
    return lambda f: f["dH1"] * gate(f)


def of_Z1(function: Callable[[Array], Array]) -> Formula:
    """Return an elementwise function of the pre-activation."""
    return lambda f: function(f["Z1"])


def of_label(matrix: Formula) -> Formula:
    """Return the entry [B] of each row's true class in a matrix [B, C]."""
    return lambda f: matrix(f)[rows(f)]
