"""Mistakes in dZ2, in the factor 1/B, and in the gradients as a whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from grader.defects.edits.formulas import (
    divide_by_B,
    return_gradient,
    subtract_labels,
    swap_in,
    write,
)
from grader.defects.edits.toggles import (
    change_reduction,
    drop,
    keep_part,
    keep_right_part,
    negate,
    transpose,
    transpose_all,
)
from grader.defects.faults import constant_for_B, in_place_of_P, jacobian, over_B, ratio, scaled
from grader.defects.kind import Centrality, Kind, Sign
from grader.defects.names import LOGITS, HandedOn
from grader.defects.signs.network import (
    broken_by_huge_logits,
    forward_again,
    no_subgradient,
    not_returned,
)
from grader.defects.sites.network import (
    constant_size,
    in_backward,
    missing_gradient,
    unexplained_gradient,
)
from grader.problem.network import LEAVES, RIGHT, Fault, Flow, Formula, batch, log_softmax, onehot
from grader.records import Array, Part, Severity


def _sigmoid(flow: Flow) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-flow["Z2"])))


def _squared_error(flow: Flow) -> Array:
    """The derivative of |P - Y|² by Z2, row by row."""
    return 2.0 * jacobian(flow["P"] - onehot(flow), flow["P"])


OTHER_LOSSES: tuple[tuple[str, Formula], ...] = (
    ("of a sigmoid for each class", in_place_of_P(_sigmoid)),
    ("of the squared error of P", over_B(_squared_error)),
    ("of the mean squared error of P", lambda f: _squared_error(f) / f["P"].size),
    ("of -p, without the log", over_B(lambda f: jacobian(-onehot(f), f["P"]))),
)

DERIVED_TWICE: tuple[tuple[str, Formula], ...] = (
    ("times P (1 - P)", lambda f: (f["P"] - onehot(f)) * f["P"] * (1 - f["P"])),
    ("times P", lambda f: (f["P"] - onehot(f)) * f["P"]),
    ("times 1 - P", lambda f: (f["P"] - onehot(f)) * (1 - f["P"])),
    ("the Jacobian on top", lambda f: jacobian(f["P"] - onehot(f), f["P"])),
    ("the Jacobian's diagonal only", lambda f: -onehot(f) * (1 - f["P"])),
)

NOT_P: tuple[tuple[str, Formula], ...] = (
    ("Z2", lambda f: f["Z2"]),
    ("exp(Z2)", lambda f: np.exp(f["Z2"])),
    ("(Z2 - max)", lambda f: f["Z2"] - f["shift"]),
    ("exp(Z2 - max)", lambda f: np.exp(f["Z2"] - f["shift"])),
    ("log P", log_softmax),
)
"""What the labels are taken off in the place of P."""


def _stepped(weight: str, inputs: str, upstream: str) -> Callable[[Flow, float], list[Array]]:
    """A weight after its step, and what the gradient becomes when it passes through that."""

    def telling(flow: Flow, amount: float) -> list[Array]:
        stepped = flow[weight] - amount * (flow[inputs].T @ flow[upstream])
        return [stepped, flow[upstream] @ stepped.T]

    return telling


def _transposed(leaf: str) -> Fault:
    return Fault(leaf, "the transpose", lambda f: RIGHT[leaf](f).T)


def _decayed(leaf: str) -> tuple[Fault, Fault]:
    """A decay of the tensor itself."""
    right = RIGHT[leaf]
    return (
        Fault(leaf, "weight decay", right, direction=lambda f: f[leaf]),
        Fault(leaf, "the sign of the weights", right, direction=lambda f: np.sign(f[leaf])),
    )


kind = partial(Kind, part=Part.BACKWARD)

GRADIENT: tuple[Kind, ...] = (
    kind(
        code="grad-missing-batch-mean",
        centrality=Centrality.FACTOR_ON_ALL,
        what="The loss is a mean over the batch, but its gradient was never divided by B.",
        shows="backward.batch_mean fails: the ratio to the expected gradient is B, at any B.",
        why="loss = (1/B) Σ_b ℓ_b, so ∂loss/∂Z2[b] = (1/B) ∂ℓ_b/∂Z2[b]; all else is downstream.",
        hint="Find the one place from which every gradient would inherit the 1/B.",
        ask="Where does 1/B enter your derivation?",
        wrong="dZ2 = P - onehot",
        right="dZ2 = (P - onehot) / B",
        faults=scaled("1/B is missing", batch),
        scales=True,
        handed_on=HandedOn(LOGITS),
        repairs=(divide_by_B, change_reduction),
    ),
    kind(
        code="grad-double-batch-mean",
        centrality=Centrality.FACTOR_ON_ALL,
        what="A gradient is divided by the batch size a second time on its way down.",
        shows="backward.batch_mean fails: the ratio to the expected gradient is 1/B, at any B.",
        why="dW2 = H1.T @ dZ2 is linear in dZ2, which has its 1/B: one more makes it 1/B².",
        hint="Follow 1/B from dZ2 downwards and count how often each gradient meets it.",
        ask="How often does dW1 meet the factor 1/B on its way down from dZ2?",
        wrong="dZ2 = (P - onehot) / B\ndW2 = H1.T @ dZ2 / B",
        right="dZ2 = (P - onehot) / B\ndW2 = H1.T @ dZ2",
        faults=(
            *scaled("1/B enters twice", lambda f: 1 / batch(f)),
            *scaled("1/B enters three times", lambda f: batch(f) ** -2),
        ),
        scales=True,
        repairs=(keep_right_part, keep_part, drop, change_reduction),
    ),
    kind(
        code="grad-mean-over-classes",
        centrality=Centrality.FACTOR_ON_ALL,
        what="The gradient is divided by the number of classes.",
        shows="backward.batch_mean fails: the ratio is 1/C, or B/C where C stands in B's place.",
        why="The mean runs over B examples; the sum over classes is part of each ℓ_b.",
        hint="Which size does the loss divide by? Look what dZ2 divides by: P.size is B·C.",
        ask="Which size does the loss divide by, and which does dZ2?",
        wrong="dZ2 = (P - onehot) / P.size",
        right="dZ2 = (P - onehot) / P.shape[0]",
        faults=(
            *scaled("divided by C besides", lambda f: 1.0 / f["Z2"].shape[1]),
            *scaled("divided by C in place of B", lambda f: batch(f) / f["Z2"].shape[1]),
        ),
        scales=True,
        repairs=(divide_by_B, keep_part),
    ),
    kind(
        code="grad-sign",
        centrality=Centrality.FACTOR_ON_ALL,
        what="The gradients point the opposite way.",
        shows="The ratio to the expected gradient is −1; backward.own_loss fails as well.",
        why="∂(log Σ_k e^{z_k} − z_y)/∂z_j = P_j − [j = y]: negative at the true class only.",
        hint="Raising the true class's logit lowers the loss: which sign has its gradient?",
        ask="Which sign has the gradient of the loss at the true class's logit?",
        wrong="dZ2 = (onehot - P) / B",
        right="dZ2 = (P - onehot) / B",
        faults=scaled("the sign is flipped", lambda f: -1.0),
        repairs=(negate, keep_right_part, keep_part, drop),
    ),
    kind(
        code="grad-onehot-missing",
        centrality=Centrality.CORE_IDEA,
        what="The gradient of the logits knows nothing of the labels.",
        shows="All five gradients fail, and db2 sums to 1 instead of 0.",
        why="∂(log Σ_k e^{z_k})/∂z = P, and ∂(−z_y)/∂z = −onehot(y): half of it is missing.",
        hint="Differentiate both terms of log Σ exp(Z2) − Z2[y].",
        ask="What is the derivative of log Σ exp(Z2) − Z2[y] by Z2[y]?",
        wrong="dZ2 = P / B",
        right="dZ2 = (P - onehot) / B",
        faults=(Fault("dZ2", "P / B", over_B(lambda f: f["P"]), copied=lambda f: f["P"]),),
        repairs=(subtract_labels,),
    ),
    kind(
        code="grad-softmax-derivative",
        centrality=Centrality.CORE_IDEA,
        what="The softmax is differentiated again, although P − onehot contains its derivative.",
        shows="All five gradients fail; dZ2 is too small by an entrywise factor such as P(1 − P).",
        why="Jᵀ(−onehot / P) with J = diag(P) − P Pᵀ is P − onehot: the Jacobian is in there.",
        hint="Say of which variable P − onehot is the gradient: of P, or of Z2?",
        ask="Of which variable is P − onehot the gradient: of P, or of Z2?",
        wrong="dZ2 = (P - onehot) / B * P * (1 - P)",
        right="dZ2 = (P - onehot) / B",
        faults=tuple(Fault("dZ2", words, over_B(formula)) for words, formula in DERIVED_TWICE),
        repairs=(keep_right_part, keep_part, drop),
    ),
    kind(
        code="grad-from-logits",
        centrality=Centrality.CORE_IDEA,
        what="The labels are taken off the logits instead of the probabilities.",
        shows="All five gradients fail, and the rows of dZ2 do not sum to 0: db2 does not either.",
        why="∂(log Σ_k e^{z_k})/∂z_j = e^{z_j} / Σ_k e^{z_k} = P_j, which is not z_j.",
        hint="Check what forward put into the cache under the name that backward uses.",
        ask="What did forward put into the cache under the name that backward uses?",
        wrong="dZ2 = (Z2 - onehot) / B",
        right="dZ2 = (P - onehot) / B",
        faults=tuple(
            Fault("dZ2", f"{words} - Y", in_place_of_P(values), copied=values)
            for words, values in NOT_P
        ),
        repairs=(swap_in("P"), write("{np}.exp({0})", "logP")),
        from_cache=True,
    ),
    kind(
        code="grad-inconsistent-with-loss",
        centrality=Centrality.FACTOR_ON_ALL,
        what="backward differentiates a different loss from the one that forward returns.",
        shows="backward.own_loss fails: central differences of that loss give other gradients.",
        why="With smoothed targets T the gradient is (P − T) / B; P − onehot means T = onehot.",
        hint="Write down your loss and your dZ2 side by side, and differentiate the first.",
        ask="Of which loss is your dZ2 the gradient?",
        wrong="T = 0.9 * onehot + 0.1 / C\nloss = -(T * logP).sum() / B\ndZ2 = (P - onehot) / B",
        right="loss = -(onehot * logP).sum() / B\ndZ2 = (P - onehot) / B",
        faults=(
            *(Fault("dZ2", words, formula) for words, formula in OTHER_LOSSES),
            Fault(
                "dZ2",
                "of smoothed labels",
                RIGHT["dZ2"],
                direction=lambda f: (onehot(f) - 1.0 / f["Z2"].shape[1]) / batch(f),
            ),
        ),
    ),
    kind(
        code="dw2-from-preactivation",
        centrality=Centrality.CHAIN_STEP,
        what="The second layer's weight gradient is built from what went into the ReLU.",
        shows="Only backward.dW2 fails; its rows are right for units active in every example.",
        why="Z2 = H1 @ W2 + b2: what multiplies W2 in the forward is H1, hence dW2 = H1.T @ dZ2.",
        hint="What does W2 get multiplied by in the forward?",
        ask="What is W2 multiplied by in the forward pass?",
        wrong="dW2 = Z1.T @ dZ2",
        right="dW2 = H1.T @ dZ2",
        faults=(Fault("W2", "Z1.T @ dZ2", lambda f: f["Z1"].T @ f["dZ2"]),),
        repairs=(swap_in("H1"),),
    ),
    kind(
        code="grad-transposed",
        centrality=Centrality.ONE_TENSOR,
        what="A gradient comes out with its two axes swapped.",
        shows="A shape check fails, such as backward.dW2_shape; where sizes are equal, the value.",
        why="A gradient has its tensor's shape: dW2[h, c] = Σ_b H1[b, h] dZ2[b, c] is [H, C].",
        hint="Write the shapes of both factors beside the product; the result must be W's.",
        ask="Which shape has the gradient of W2, and which has yours?",
        wrong="dW2 = dZ2.T @ H1  # [C, H]",
        right="dW2 = H1.T @ dZ2  # [H, C]",
        faults=tuple(_transposed(leaf) for leaf in ("W2", "W1", "X")),
        placed=in_backward,
        repairs=(transpose, transpose_all),
    ),
    kind(
        code="grad-extra-term",
        centrality=Centrality.ONE_TENSOR,
        what="A gradient carries a term of its own, such as weight decay.",
        shows="The difference to the expected gradient is a multiple of the tensor itself.",
        why="λW is the gradient of λ‖W‖²/2, which is no part of the cross-entropy returned.",
        hint="Each gradient is one product or one sum; look what is added to it.",
        ask="Of which term of the loss is this part of the gradient?",
        wrong="dW2 = H1.T @ dZ2 + 1e-3 * W2",
        right="dW2 = H1.T @ dZ2",
        faults=tuple(fault for leaf in LEAVES for fault in _decayed(leaf)),
        repairs=(keep_right_part, keep_part, drop),
    ),
    kind(
        code="weights-updated-early",
        centrality=Centrality.CHAIN_STEP,
        what="A weight is stepped while a gradient still has to pass through its old value.",
        shows="backward.dW2 and backward.db2 pass; backward.dW1, backward.db1, backward.dX fail.",
        why="dH1 = dZ2 @ W2.T is about the W2 of the forward; a stepped W2 is another function's.",
        hint="Compute all gradients first; steps come after the last of them, and elsewhere.",
        ask="Of which W2 is dZ2 @ W2.T the gradient when W2 has been stepped before?",
        wrong="W2 = W2 - 0.1 * dW2\ndH1 = dZ2 @ W2.T",
        right="dH1 = dZ2 @ W2.T\nW2 = W2 - 0.1 * dW2",
        faults=(
            Fault(
                "dZ1",
                "W2 is stepped before dH1 has passed it",
                RIGHT["dZ1"],
                direction=lambda f: (f["dZ2"] @ -(f["H1"].T @ f["dZ2"]).T) * (f["Z1"] > 0),
                telling=_stepped("W2", "H1", "dZ2"),
            ),
            Fault(
                "X",
                "W1 is stepped before dZ1 has passed it",
                RIGHT["X"],
                direction=lambda f: f["dZ1"] @ -(f["X"].T @ f["dZ1"]).T,
                telling=_stepped("W1", "X", "dZ1"),
            ),
        ),
        repairs=(keep_right_part, keep_part, drop),
    ),
    kind(
        code="hard-coded-size",
        part=Part.INTAKE,
        centrality=Centrality.FACTOR_ON_ALL,
        what="A size is written into the code as a number instead of being read from a shape.",
        shows="Right at that one size; at others the value is off by their ratio, or it raises.",
        why="B, D, H and C are properties of the arguments and change from call to call.",
        hint="Search for the number named, and take it from an argument's shape.",
        ask="What does this number become when the batch has another size?",
        wrong="dZ2 = (P - onehot) / 64",
        right="dZ2 = (P - onehot) / X.shape[0]",
        faults=(
            Fault(
                "loss",
                "divided by a constant",
                ratio(lambda f: 0.0),
                direction=lambda f: np.asarray(-f["picked"].sum()),
                constant=True,
            ),
            *(constant_for_B(step) for step in ("dZ2", *LEAVES)),
        ),
        scales=True,
        placed=constant_size,
        repairs=(keep_right_part, divide_by_B),
    ),
    kind(
        code="grad-missing",
        centrality=Centrality.ONE_TENSOR,
        what="At least one of the five gradients is left out of the result, or is None.",
        shows="The shape and value checks of that tensor fail, such as backward.dX; others pass.",
        why="The loss depends on X as well as on the weights; dX is what a layer below would need.",
        hint="Compare the keys you return with W1, b1, W2, b2, X.",
        ask="Which five gradients were asked for?",
        wrong='grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}',
        right='grads = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2, "X": dX}',
        signs=(Sign(not_returned),),
        unmeasured=True,
        placed=missing_gradient,
        repairs=(return_gradient,),
        not_returned=True,
    ),
    kind(
        code="grad-unexplained",
        centrality=Centrality.CORE_IDEA,
        what="A gradient is wrong in a way that none of the known mistakes reproduces.",
        shows="Its value check fails; the numbers are those of no known fault, nor of a pair.",
        why="Every step is a product with what the forward multiplied by, or a sum over what it\n"
        "spread out; the first step that is neither is the one to look at.",
        hint="Start at the first wrong expression: its inputs are right, its value is not.",
        ask="Which is the first of your expressions whose inputs are right and whose value is not?",
        wrong="dH1 = dZ2 @ W2.T / np.linalg.norm(W2)",
        right="dH1 = dZ2 @ W2.T",
        signs=(
            Sign(no_subgradient, ("backward.relu_zero",), beside="backward.relu_mask"),
            Sign(broken_by_huge_logits, ("backward.stable",)),
        ),
        placed=unexplained_gradient,
        repairs=(keep_right_part, keep_part),
        unexplained=True,
        unmeasured=True,
        from_cache=True,
    ),
    kind(
        code="recomputes-forward",
        centrality=Centrality.NONE,
        severity=Severity.INFO,
        what="backward repeats work of the forward whose result it could have kept.",
        shows="All numbers are right; at most backward.vectorised sees the time, and "
        "forward.cache what is kept for it alone.",
        why="A forward is about a third of all the arithmetic; the cache exists to save it.",
        hint="Put into the cache what backward computes again.",
        ask="Which of these values could the cache have kept?",
        wrong="def backward(cache):\n    X, W1, b1 = cache\n    Z1 = X @ W1 + b1",
        right="def backward(cache):\n    X, W1, Z1 = cache",
        signs=(Sign(forward_again),),
    ),
)
