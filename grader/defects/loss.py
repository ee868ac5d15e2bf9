"""Mistakes in the loss: the log, the true class's entry, and the mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from grader.defects.edits.formulas import divide_by_B, pick_labels, swap_in, use_log_softmax
from grader.defects.edits.toggles import (
    average,
    change_reduction,
    drop,
    keep_part,
    keep_right_part,
    negate,
    use_natural_log,
)
from grader.defects.faults import of_label, ratio
from grader.defects.kind import Centrality, Kind
from grader.defects.names import LOSS as LOSS_NAME
from grader.defects.names import HandedOn
from grader.defects.sites.layers import LayerSite, calls
from grader.defects.sites.network import log_base, returned_loss
from grader.problem.network import (
    RIGHT,
    Fault,
    Flow,
    Formula,
    Shows,
    batch,
    log_of_label,
    log_softmax,
    rows,
)
from grader.records import Array, Part


def _sum_of(size: Callable[[Array], Array]) -> Callable[[Sequence[str]], Formula]:
    """A penalty: the sum over some tensors of a number of each."""
    return lambda names: lambda f: np.asarray(sum(float(size(f[n])) for n in names))


def _norm(W: Array) -> Array:
    return np.asarray(np.sqrt((W**2).sum()))


PENALTIES: tuple[tuple[str, Callable[[Sequence[str]], Formula], Callable[[str], Formula]], ...] = (
    ("the squares", _sum_of(lambda W: (W**2).sum()), lambda n: lambda f: 2.0 * f[n]),
    ("the magnitudes", _sum_of(lambda W: np.abs(W).sum()), lambda n: lambda f: np.sign(f[n])),
    ("the norm", _sum_of(_norm), lambda n: lambda f: f[n] / _norm(f[n])),
)
"""(words, the term of some tensors, its derivative by one of them)."""

PENALISED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("W1 and W2", ("W1", "W2")),
    ("W1", ("W1",)),
    ("W2", ("W2",)),
    ("all parameters", ("W1", "W2", "b1", "b2")),
)


def _smoothing(flow: Flow) -> Array:
    """What labels smoothed over the classes add to the mean, per unit of smoothing."""
    logs = log_softmax(flow)
    return np.asarray(logs[rows(flow)].mean() - logs.mean())


EPSILONS = (*(10.0**-k for k in range(3, 21)), 1e-100, 1e-300, 1e-308)
PAIRED = 1e-8
"""The one guard that is tried beside a second fault."""


def _guard(words: str, guarded: Callable[[Array, float], Array], epsilon: float) -> Fault:
    """The log of a probability that something keeps away from zero."""
    return Fault(
        "picked",
        words.format(epsilon),
        lambda f: np.log(guarded(f["P"][rows(f)], epsilon)),
        shows=Shows.PERHAPS,
        pairs=abs(epsilon - PAIRED) < 1e-3 * PAIRED,
    )


GUARDS: tuple[tuple[str, Callable[[Array, float], Array], tuple[float, ...]], ...] = (
    ("log(p + {0:g})", lambda p, e: p + e, (*EPSILONS, 1e-2)),
    ("p clipped to [{0:g}, 1 - {0:g}]", lambda p, e: np.clip(p, e, 1.0 - e), EPSILONS),
    ("p no less than {0:g}", np.maximum, EPSILONS),
)
"""(words, what is made of p, by which constants)."""


Pick = Callable[[Array, Array], Array]
"""What is taken of a matrix [B, C] by the labels [B]."""


def _crosswise(m: Array, y: Array) -> Array:
    return m[:, y]


def _likeliest(m: Array, _y: Array) -> Array:
    return np.asarray(m.max(axis=1))


def _every(m: Array, _y: Array) -> Array:
    return np.asarray(m.sum(axis=1))


GATHERS: tuple[tuple[str, Pick], ...] = (
    ("p[:, y]", _crosswise),
    ("p[y]", lambda m, y: m[y]),
    ("the likeliest class", _likeliest),
    ("every class", _every),
    ("class 0", lambda m, y: m[:, 0]),
    ("the last class", lambda m, y: m[:, -1]),
    ("the class before", lambda m, y: m[np.arange(len(y)), y - 1]),
)
"""What is picked from log P [B, C]. With log(P) it underflows; with log-softmax it does not."""


def _log_of_P(flow: Flow) -> Array:
    return np.asarray(np.log(flow["P"]))


def _gather(words: str, pick: Pick) -> tuple[Fault, Fault]:
    def of(logs: Formula) -> Fault:
        formula: Formula = lambda f: pick(logs(f), f["y"].astype(int))  # noqa: E731
        return Fault("picked", words, formula, telling=_picks(pick))

    return of(_log_of_P), of(log_softmax)


def _picks(pick: Pick) -> Callable[[Flow, float], list[Array]]:
    """What is taken from any of the matrices from which the losses can be taken."""

    def telling(flow: Flow, _amount: float) -> list[Array]:
        shifted = flow["Z2"] - flow["Z2"].max(axis=1, keepdims=True)
        matrices = [flow["Z2"], shifted, np.exp(shifted), flow["P"], np.log(flow["P"])]
        if pick is _likeliest:
            matrices = matrices[3:]  # the logits' maxima are right elsewhere
        return [] if pick is _every else [pick(m, flow["y"].astype(int)) for m in matrices]

    return telling


CROSSED = (
    "p[:, y], divided by B",
    "z[:, y] against the rows' sums",
    "z[:, y] against the rows' sums, mean",
)


def _crossed(form: int) -> Formula:
    """The losses of p[:, y], or of z[:, y] broadcast against the rows' logs of sums."""

    def loss(flow: Flow) -> Array:
        y = flow["y"].astype(int)
        if form == 0:
            return np.asarray(-np.log(flow["P"][:, y]).sum() / batch(flow))
        log_sum = np.log(np.exp(flow["Z2"] - flow["shift"]).sum(axis=1)) + flow["shift"].ravel()
        return np.asarray((log_sum - flow["Z2"][:, y]).sum() / batch(flow) ** form)

    return loss


def _mixed_logs(base: int) -> Formula:
    """log P [B, C] with the log of the sum, and only that, in another base."""

    def logs(flow: Flow) -> Array:
        Z = flow["Z2"] - flow["shift"]
        return np.asarray(Z - np.log(np.exp(Z).sum(axis=1, keepdims=True)) / np.log(base))

    return logs


def _in_base(base: int) -> Fault:
    """The loss by the logarithm to another base."""
    factor = 1.0 / float(np.log(base))
    loss: Formula = lambda f: np.asarray(-f["picked"].mean() * factor)  # noqa: E731
    return Fault("loss", f"log{base}", loss, scale=ratio(lambda f: factor), telling=_other_logs)


def _exp(logs: Formula) -> Formula:
    return lambda f: np.exp(logs(f))


def _other_logs(flow: Flow, _amount: float) -> list[Array]:
    """Logarithms to other bases of what a loss takes logarithms of."""
    tops = (np.zeros((1, 1)), flow["Z2"].max(axis=1, keepdims=True))
    inside = [np.exp(flow["Z2"] - top).sum(axis=1) for top in tops]
    values = (*inside, flow["P"], flow["P"][rows(flow)])
    return [np.log(v) / np.log(base) for base in (2.0, 10.0) for v in values]


SHAPES: tuple[tuple[str, Formula], ...] = (
    ("one loss per example", lambda f: -f["picked"]),
    ("one loss per example, divided by B", lambda f: -f["picked"] / batch(f)),
    ("shape (1,)", lambda f: -f["picked"].mean(keepdims=True)),
    ("shape [B, 1]", lambda f: -f["picked"][:, None]),
    ("shape [B, 1], divided by B", lambda f: -f["picked"][:, None] / batch(f)),
    ("shape (1, 1)", lambda f: -f["picked"][:, None].mean(keepdims=True)),
)
"""Losses that are no single number."""


kind = partial(Kind, part=Part.FORWARD)

LOSS: tuple[Kind, ...] = (
    kind(
        code="loss-log-underflow",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The logarithm is taken of a probability that may have been rounded to zero.",
        shows="forward.underflow fails: inf where the loss is about 1e4. Ordinary cases pass.",
        why="P = exp(−1e4) is 0 in floating point, and log 0 = −inf; the same log-probability is\n"
        "Z2[y] − max − log Σ exp(Z2 − max), a plain subtraction.",
        hint="Take the logarithm of the softmax on paper first: exp and log cancel.",
        ask="What is the log of a probability that was rounded to zero?",
        wrong="loss = -np.log(P[np.arange(B), y]).mean()",
        right="shifted = Z2 - Z2.max(axis=1, keepdims=True)\n"
        "log_sum = np.log(np.exp(shifted).sum(axis=1))\n"
        "loss = (log_sum - shifted[np.arange(B), y]).mean()",
        faults=(
            Fault(
                "picked", "the log of the probability is taken", log_of_label, shows=Shows.EXTREMES
            ),
        ),
        in_layer=LayerSite(calls("log"), falls_back=True),
        repairs=(use_log_softmax,),
    ),
    kind(
        code="loss-log-epsilon",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="A small constant or a clip guards the logarithm and alters the loss.",
        shows="forward.loss is off in its last digits, or forward.underflow gives a number below "
        "40 where 1e4 is right.",
        why="log(p + 1e-12) is at least −27.6, however wrong the answer; and its derivative is\n"
        "1/(p + 1e-12), so P − onehot is no longer the gradient.",
        hint="A log-softmax from shifted logits needs no guard; drop it.",
        ask="How large can your loss become, and what does the guard do to the gradient?",
        wrong="loss = -np.log(P[np.arange(B), y] + 1e-12).mean()",
        right="shifted = Z2 - Z2.max(axis=1, keepdims=True)\n"
        "log_sum = np.log(np.exp(shifted).sum(axis=1))\n"
        "loss = (log_sum - shifted[np.arange(B), y]).mean()",
        faults=tuple(_guard(words, of, e) for words, of, epsilons in GUARDS for e in epsilons),
        repairs=(use_log_softmax, keep_right_part, keep_part),
    ),
    kind(
        code="loss-wrong-gather",
        centrality=Centrality.CORE_IDEA,
        what="Indexing does not pick each row's own label.",
        shows="forward.loss fails; at B = 1 the loss may be right.",
        why="p[:, y] is [B, B]: every row paired with every label. Pairs need two index arrays\n"
        "of the same length, rows and labels.",
        hint="Print the shape of what you pick: it should be [B].",
        ask="What is the shape of P[:, y], and which pairs of row and label does it hold?",
        wrong="loss = -logP[:, y].mean()",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(
            *(fault for words, pick in GATHERS for fault in _gather(words, pick)),
            *(
                Fault("loss", words, _crossed(form), telling=_picks(_crosswise))
                for form, words in enumerate(CROSSED)
            ),
        ),
        repairs=(pick_labels, swap_in("y", "rows")),
    ),
    kind(
        code="loss-sum-not-mean",
        centrality=Centrality.FACTOR_ON_ALL,
        what="The examples' losses are added up and not averaged.",
        shows="forward.mean fails: the ratio to the expected loss is B, at both batch sizes.",
        why="loss = (1/B) Σ_b ℓ_b; a sum grows with the batch, and so do all gradients below it.",
        hint="Repeat a batch twice: a mean stays as it is.",
        ask="What happens to your loss when a batch is repeated twice?",
        wrong="loss = -logP[np.arange(B), y].sum()",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(
            Fault(
                "loss",
                "summed over the batch",
                lambda f: np.asarray(-f["picked"].sum()),
                scale=ratio(batch),
            ),
        ),
        in_pytorch="torch-reduction-sum",
        handed_on=HandedOn(LOSS_NAME),
        repairs=(change_reduction, divide_by_B),
    ),
    kind(
        code="loss-mean-over-elements",
        centrality=Centrality.FACTOR_ON_ALL,
        what="The average runs over all entries of the [B, C] matrix, not over the examples.",
        shows="forward.mean fails: the ratio to the expected loss is 1/C, at every batch size.",
        why="−onehot · logP has B entries that are not zero among B·C; the mean counts the zeros.",
        hint="How many numbers does your mean divide by, and how many examples are there?",
        ask="How many numbers does your mean divide by, and how many examples are there?",
        wrong="loss = -(onehot * logP).mean()",
        right="loss = -(onehot * logP).sum(axis=1).mean()",
        faults=(
            Fault(
                "loss",
                "divided by B·C",
                lambda f: np.asarray(-f["picked"].sum() / f["Z2"].size),
                scale=ratio(lambda f: 1.0 / f["Z2"].shape[1]),
            ),
            Fault(
                "loss",
                "divided by C",
                lambda f: np.asarray(-f["picked"].sum() / f["Z2"].shape[1]),
                scale=ratio(lambda f: batch(f) / f["Z2"].shape[1]),
            ),
        ),
        repairs=(divide_by_B, change_reduction),
    ),
    kind(
        code="loss-unexplained",
        centrality=Centrality.CORE_IDEA,
        what="The loss is wrong in a way that none of the known mistakes reproduces.",
        shows="forward.loss fails; its value is that of no known fault, nor of a pair of them.",
        why="loss = (1/B) Σ_b (log Σ_k exp(Z2[b, k]) − Z2[b, y_b]), and nothing else.",
        hint="Compute Z1, H1, Z2, P by hand for B = 1 and find the first that is not yours.",
        ask="Which loss do you compute, written as one formula?",
        wrong="loss = (1 - P[np.arange(B), y]).mean()",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(
            Fault(
                "loss",
                "divided by B once more",
                lambda f: np.asarray(-f["picked"].mean() / batch(f)),
                scale=ratio(lambda f: 1.0 / batch(f)),
            ),
        ),
        in_pytorch="torch-reduction-sum",
        placed=returned_loss,
        repairs=(keep_right_part, keep_part),
        unexplained=True,
        unmeasured=True,
    ),
    kind(
        code="loss-sign",
        centrality=Centrality.ONE_TENSOR,
        what="The loss has lost its minus and rewards being wrong.",
        shows="forward.loss fails: the ratio to the expected loss is −1, and the loss is negative.",
        why="ℓ = −log p with p <= 1 is never negative; without the minus, descent lowers p.",
        hint="Can your loss be negative? Cross-entropy cannot.",
        ask="Can a cross-entropy be negative?",
        wrong="loss = logP[np.arange(B), y].mean()",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(
            Fault(
                "loss",
                "the minus is lost",
                lambda f: np.asarray(f["picked"].mean()),
                scale=ratio(lambda f: -1.0),
                telling=lambda f, _: [f["picked"].sum(), f["loss"]],
            ),
        ),
        repairs=(negate,),
    ),
    kind(
        code="loss-log-base",
        centrality=Centrality.ONE_TENSOR,
        what="The loss is in bits or decimal digits: the logarithm is not the natural one.",
        shows="forward.loss fails: the ratio is 1.443 (log2) or 0.434 (log10), whatever the sizes.",
        why="log2 p = ln p / ln 2, so its gradient would be (P − onehot) / (B ln 2).",
        hint="Softmax is made of exp; use the logarithm that undoes it.",
        ask="Which logarithm undoes the exponential of the softmax?",
        wrong="loss = -np.log2(P[np.arange(B), y]).mean()",
        right="loss = -logP[np.arange(B), y].mean()  # logP by np.log",
        faults=(
            *(
                Fault(
                    "picked",
                    f"log{base} of the sum",
                    of_label(_mixed_logs(base)),
                    probabilities=_exp(_mixed_logs(base)),
                    telling=_other_logs,
                )
                for base in (2, 10)
            ),
            *(_in_base(base) for base in (2, 10)),
        ),
        placed=log_base,
        sharper=True,
        repairs=(use_natural_log, keep_right_part, keep_part),
    ),
    kind(
        code="loss-not-scalar",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The loss comes back as an array instead of a single number.",
        shows="forward.scalar fails and gives the shape: [B], or (1,).",
        why="A gradient of the loss has its tensor's shape only when the loss is one number.",
        hint="Reduce over the batch without keepdims, and return the number itself.",
        ask="What is the gradient of an array of losses?",
        wrong="loss = -logP[np.arange(B), y]",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(*(Fault("loss", words, formula) for words, formula in SHAPES),),
        handed_on=HandedOn(LOSS_NAME),
        repairs=(keep_right_part, keep_part, average),
    ),
    kind(
        code="loss-extra-term",
        centrality=Centrality.ONE_TENSOR,
        what="Something beside the cross-entropy is added to the loss.",
        shows="forward.loss is off by an amount that depends on the weights alone, not on y.",
        why="The problem asks for mean cross-entropy; λ‖W‖² would add 2λW to the gradients too.",
        hint="Return the cross-entropy alone; regularisation is the optimiser's business.",
        ask="What does your loss contain beside the cross-entropy, and what does it add to dW1?",
        wrong="loss = -logP[np.arange(B), y].mean() + 1e-3 * (W1**2).sum()",
        right="loss = -logP[np.arange(B), y].mean()",
        faults=(
            *(
                Fault(
                    "loss",
                    f"{kind} of {words}",
                    RIGHT["loss"],
                    direction=penalty(names),
                    gains=tuple((n, slope(n)) for n in names),
                )
                for kind, penalty, slope in PENALTIES
                for words, names in PENALISED
            ),
            Fault("loss", "smoothed labels", RIGHT["loss"], direction=_smoothing),
        ),
        repairs=(keep_right_part, keep_part, drop),
    ),
)
