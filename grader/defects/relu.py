"""Mistakes in the gradient of the ReLU."""

from __future__ import annotations

from functools import partial

import numpy as np

from grader.defects.activations import ACTIVATIONS
from grader.defects.edits.formulas import apply_gate, swap_in
from grader.defects.edits.toggles import keep_part, turn_comparison
from grader.defects.faults import gated, of_Z1
from grader.defects.kind import Centrality, Kind, Sign
from grader.defects.names import ACTIVATION, PRE_ACTIVATION, HandedOn
from grader.defects.signs.network import gate_from_activation, other_slope
from grader.defects.sites.network import closes_the_mask
from grader.problem.network import Fault, Formula
from grader.records import CheckStatus, Part, Severity

NO_GATES = ("a step", "the ReLU of -Z1")
"""Activations whose derivative says nothing: zero, and the inverted mask with the sign flipped."""

FACTORS: tuple[tuple[str, Formula], ...] = (
    ("times H1", lambda f: f["H1"]),
    ("times Z1", lambda f: f["Z1"]),
    ("times max(Z1, 0)", lambda f: np.maximum(f["Z1"], 0.0)),
    *((f"the derivative of {n}", of_Z1(d)) for n, _, d in ACTIVATIONS if n not in NO_GATES),
    ("H1 (1 - H1)", lambda f: f["H1"] * (1 - f["H1"])),
    ("1 - H1²", lambda f: 1 - f["H1"] ** 2),
)
"""What a gradient is multiplied by in place of 0 or 1."""


kind = partial(Kind, part=Part.BACKWARD)

RELU: tuple[Kind, ...] = (
    kind(
        code="relu-mask-missing",
        centrality=Centrality.CHAIN_STEP,
        what="The gradient walks through the ReLU as if it were not there.",
        shows="backward.relu_mask fails, and some or all of dW1, db1, dX; dW2 and db2 are right.",
        why="H1 = max(Z1, 0) does not move where Z1 < 0: ∂H1/∂Z1 is 0 there, so dZ1 must be too.",
        hint="Between dH1 and dW1 there is one more step: the derivative of ReLU.",
        ask="What is the derivative of ReLU where Z1 is negative, and where does it enter dZ1?",
        wrong="dZ1 = dH1\ndW1 = X.T @ dZ1",
        right="dZ1 = dH1 * (Z1 > 0)\ndW1 = X.T @ dZ1",
        faults=(
            Fault("dZ1", "dH1 is used as it is", lambda f: f["dH1"]),
            Fault("W1", "X.T @ dH1", lambda f: f["X"].T @ f["dH1"]),
            Fault("b1", "dH1.sum(0)", lambda f: f["dH1"].sum(axis=0)),
            Fault("X", "dH1 @ W1.T", lambda f: f["dH1"] @ f["W1"].T),
        ),
        handed_on=HandedOn(PRE_ACTIVATION, ACTIVATION),
        repairs=(swap_in("dZ1"), apply_gate),
    ),
    kind(
        code="relu-mask-from-activation",
        centrality=Centrality.NONE,
        severity=Severity.MINOR,
        what="The gate is read off the activation H1 instead of the pre-activation Z1.",
        shows="All numbers are right: only the source tells.",
        why="H1 > 0 exactly where Z1 > 0, but only ReLU is so kind: with dropout in between, or\n"
        "another activation, it is not. The derivative is taken at Z1.",
        hint="State the derivative as a function of ReLU's input, and cache that.",
        ask="Would H1 > 0 still be the right gate with dropout in between?",
        wrong="dZ1 = dH1 * (H1 > 0)",
        right="dZ1 = dH1 * (Z1 > 0)",
        signs=(Sign(gate_from_activation),),
    ),
    kind(
        code="relu-mask-from-gradient",
        centrality=Centrality.CHAIN_STEP,
        what="The incoming gradient is itself rectified: its own sign decides what passes.",
        shows="backward.relu_mask fails; dZ1 has no negative entry.",
        why="dZ1 = dH1 · ∂H1/∂Z1, and ∂H1/∂Z1 = [Z1 > 0] depends on the forward's input only.",
        hint="Ask which array decided in the forward whether a unit was active.",
        ask="Which array decided in the forward pass whether a unit was active?",
        wrong="dZ1 = dH1 * (dH1 > 0)",
        right="dZ1 = dH1 * (Z1 > 0)",
        faults=(
            Fault("dZ1", "dH1 > 0", gated(lambda f: f["dH1"] > 0)),
            Fault(
                "dZ1", "dH1 > 0 besides Z1 > 0", lambda f: f["dH1"] * (f["dH1"] > 0) * (f["Z1"] > 0)
            ),
        ),
        repairs=(swap_in("Z1"), apply_gate),
    ),
    kind(
        code="relu-mask-inverted",
        centrality=Centrality.CHAIN_STEP,
        what="Inactive units let the gradient through, and active ones stop it.",
        shows="backward.relu_mask fails on every entry: dZ1 is zero just where it should not be.",
        why="For Z1 > 0, H1 = Z1 and the slope is 1; for Z1 < 0, H1 is constant and the slope 0.",
        hint="Take one unit with Z1 = 2: does a small change of Z1 reach the loss?",
        ask="For a unit with Z1 = 2, does a small change of Z1 reach the loss?",
        wrong="dZ1 = dH1 * (Z1 < 0)",
        right="dZ1 = dH1 * (Z1 > 0)",
        faults=(Fault("dZ1", "Z1 <= 0", gated(lambda f: f["Z1"] <= 0)),),
        repairs=(turn_comparison, keep_part, apply_gate),
    ),
    kind(
        code="relu-mask-is-activation",
        centrality=Centrality.CHAIN_STEP,
        what="The gradient is weighted by the size of the activation, not just let through.",
        shows="backward.dW1, db1 and dX fail though backward.relu_mask passes: the zeros are in "
        "their places, the other entries are scaled.",
        why="ReLU's derivative is 0 or 1. H1 is its value; 1 − tanh² or s(1 − s) are others'.",
        hint="The slope of max(z, 0) takes two values only; your factor takes more.",
        ask="Which values does the slope of max(z, 0) take?",
        wrong="dZ1 = dH1 * H1",
        right="dZ1 = dH1 * (Z1 > 0)",
        faults=tuple(Fault("dZ1", words, gated(gate)) for words, gate in FACTORS),
        repairs=(apply_gate,),
    ),
    kind(
        code="relu-zero-convention",
        centrality=Centrality.NONE,
        severity=Severity.INFO,
        what="Exactly at z = 0 the gradient passes in full, where PyTorch passes none.",
        shows="backward.relu_zero reports a slope of 1; it passes, and no other number changes.",
        why="At the kink every slope in [0, 1] is a subgradient of max(z, 0): it is a choice.",
        hint="Name the convention in your answers, and know which one PyTorch takes.",
        ask="Which slope does PyTorch take at exactly z = 0, and which do you?",
        wrong="dZ1 = dH1 * (Z1 >= 0)",
        right="dZ1 = dH1 * (Z1 > 0)  # slope 0 at z = 0, as in PyTorch",
        signs=(
            Sign(
                other_slope,
                ("backward.relu_zero",),
                status=CheckStatus.PASS,
                beside="backward.relu_mask",
            ),
        ),
        placed=closes_the_mask,
    ),
)
