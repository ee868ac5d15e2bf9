"""The network as named steps, any one of which can be replaced by a wrong one.

A `Flow` holds the values of one case by name, as far as they have been
computed. A step is a formula from the flow to its own value; the right ones
stand here, the wrong ones in the tables beside this file.

    Z1 → H1 → Z2 → shift → P → picked → loss        P_used → dZ2 → dW2 db2 dH1 → dZ1 → dW1 db1 dX

`P_used` are the probabilities that the backward pass works with, where they are not the loss's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from grader.records import Array, Case

FORWARD_STEPS = ("Z1", "H1", "Z2", "shift", "P", "picked", "loss")
LEAVES = ("W2", "b2", "W1", "b1", "X")

Flow = dict[str, Array]
Formula = Callable[[Flow], Array]


class Shows(Enum):
    """On which input a fault changes a number."""

    ALWAYS = "always"
    PERHAPS = "perhaps"  # on extreme logits, and in the last digits of ordinary ones
    EXTREMES = "extremes"  # on extreme logits only


@dataclass(frozen=True)
class Fault:
    """One row of the fault table: the reference with `step` replaced by `formula`.

    `code` is the kind of mistake that it shows, which its declaration fills in; `variant` says in
    a few words what stands there instead.
    `direction`, where given, makes a family: the value is `formula + t · direction` with an
    unknown t that is the same on every case. `constant`: t stands where 1/B belongs, so ±1 is
    another mistake, and one size of the batch proves nothing.
    `scale`: the value is this factor times the right one, so that the row goes with any other of
    its step, and the loss's own gradient takes the factor over.
    `slope`: the derivative of a wrong elementwise step (H1 by Z1, or Z2 by itself).
    `gains`: what the gradients of such a loss itself have besides, per unit of t (1 where
    there is none), by tensor.
    `logs`: of a wrong P, its log [B, C] where that is not taken of P.
    `probabilities`: the P that such a log leaves to the backward pass, if not its own.
    `pairs`: whether it is tried together with a second fault of the forward pass.
    `telling`: values, by the flow and t, that only this way to the wrong value comes by.
    `copied`: a value that is wrong only as what the backward pass begins with.
    """

    step: str
    variant: str
    formula: Formula
    direction: Formula | None = None
    scale: Formula | None = None
    slope: Formula | None = None
    gains: tuple[tuple[str, Formula], ...] = ()
    logs: Formula | None = None
    probabilities: Formula | None = None
    shows: Shows = Shows.ALWAYS
    constant: bool = False
    pairs: bool = True
    telling: Callable[[Flow, float], Sequence[Array]] | None = None
    copied: Formula | None = None
    code: str = ""


def onehot(flow: Flow) -> Array:
    """Y [B, C] with a one at each row's label."""
    return np.asarray(np.eye(flow["Z2"].shape[1])[flow["y"].astype(int)])


def rows(flow: Flow) -> tuple[Array, Array]:
    """Return the index of each row's true class."""
    return np.arange(len(flow["y"])), flow["y"].astype(int)


def batch(flow: Flow) -> float:
    """B."""
    return float(len(flow["X"]))


def softmax(flow: Flow) -> Array:
    """exp(Z2 - shift), normalised over the classes."""
    E = np.exp(flow["Z2"] - flow["shift"])
    return np.asarray(E / E.sum(axis=1, keepdims=True))


def log_softmax(flow: Flow) -> Array:
    """log P [B, C], without ever taking the log of a probability."""
    Z = flow["Z2"] - flow["shift"]
    return np.asarray(Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)))


def log_sum_exp(flow: Flow) -> Array:
    """log p of the true class [B], without ever taking the log of a probability."""
    Z = flow["Z2"] - flow["shift"]
    return np.asarray(Z[rows(flow)] - np.log(np.exp(Z).sum(axis=1)))


def log_of_label(flow: Flow) -> Array:
    """log p of the true class [B], as the log of the probability: it underflows."""
    return np.asarray(np.log(flow["P"][rows(flow)]))


RIGHT: Mapping[str, Formula] = {
    "Z1": lambda f: f["X"] @ f["W1"] + f["b1"],
    "H1": lambda f: np.maximum(f["Z1"], 0.0),
    "Z2": lambda f: f["H1"] @ f["W2"] + f["b2"],
    "shift": lambda f: f["Z2"].max(axis=1, keepdims=True),
    "P": softmax,
    "picked": log_sum_exp,
    "loss": lambda f: np.asarray(-f["picked"].mean()),
    "dZ2": lambda f: (f["P"] - onehot(f)) / batch(f),
    "dH1": lambda f: f["dZ2"] @ f["W2"].T,
    "dZ1": lambda f: f["dH1"] * (f["Z1"] > 0),
    "W2": lambda f: f["H1"].T @ f["dZ2"],
    "b2": lambda f: f["dZ2"].sum(axis=0),
    "W1": lambda f: f["X"].T @ f["dZ1"],
    "b1": lambda f: f["dZ1"].sum(axis=0),
    "X": lambda f: f["dZ1"] @ f["W1"].T,
}
"""The reference. The steps W2, b2, W1, b1, X are the gradients of these tensors."""


def forward(case: Case, faults: Mapping[str, Fault]) -> Flow:
    """Return the forward pass of `case` with the steps in `faults` replaced.

    Raises what NumPy raises where a wrong formula does not fit the sizes.
    Overflow and invalid operations pass silently: they are part of the prediction.
    """
    return resumed(dict(case.inputs), faults, FORWARD_STEPS[0])


def resumed(flow: Flow, faults: Mapping[str, Fault], first: str) -> Flow:
    """Return the flow with the steps from `first` on; `flow` itself is left alone.

    Raises as `forward` does.
    """
    flow = dict(flow)
    with np.errstate(all="ignore"):
        for step in FORWARD_STEPS[FORWARD_STEPS.index(first) :]:
            fault = faults.get(step)
            flow[step] = np.asarray((fault.formula if fault else RIGHT[step])(flow))
    return flow
