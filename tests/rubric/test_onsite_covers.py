"""Every sentence of what an answer should cover has a check or a human's item in the rubric.

The sentences are the problem's, in words of our own. A check counts only where it rests in
an item or a dimension, a human's item only where its guidance says the words that stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from grader.rubric import Rubric


@dataclass(frozen=True)
class Covered:
    """A sentence, the checks that measure it, and human's items with words of their guidance."""

    part: str
    sentence: str
    checks: tuple[str, ...] = ()
    human: tuple[tuple[str, str], ...] = ()


FIVE = ("dW1", "db1", "dW2", "db2", "dX")


def each(prefix: str, suffix: str = "") -> tuple[str, ...]:
    """One check for each of the five gradients."""
    return tuple(f"{prefix}.{name}{suffix}" for name in FIVE)


SHOULD_COVER = (
    Covered(
        "1", "Z1, H1 and Z2 have the right shapes, and these are stated",
        ("forward.shapes", "forward.bias", "explanations.forward_shapes"),
        (("explain-shapes", "[B, H]"),),
    ),
    Covered("1", "the loss is a scalar, and that is stated", ("forward.scalar",),
            (("explain-shapes", "scalar"),)),
    Covered("1", "each row's maximum is subtracted before the softmax",
            ("forward.row_max", "forward.overflow"), (("followup-q2", "maximum of each row"),)),
    Covered("1", "the cross-entropy is picked at the true class",
            ("forward.gather", "forward.loss", "forward.underflow")),
    Covered("1", "the loss is reduced by the mean", ("forward.mean",)),
    Covered("1", "the cache holds what backward needs and no more", ("forward.cache",),
            (("explain-shapes", "what the cache holds"),)),
    Covered("2", "softmax and cross-entropy become one dZ2 of shape [B, C]",
            ("backward.dW2", "backward.db2", "explanations.backward_shapes"),
            (("explain-dz2", "[B, C]"),)),
    Covered("2", "1/B stands in dZ2", ("backward.batch_mean",), (("explain-dz2", "1/B enters"),)),
    Covered("2", "both linear layers are turned the right way, [D,H], [H], [H,C] and [C]",
            (*each("backward", "_shape")[:4], *each("backward")[:4]),
            (("explain-dz2", "input.T @ upstream"),)),
    Covered("2", "bias gradients are sums over the batch axis", ("backward.db1", "backward.db2"),
            (("explain-dz2", "batch axis"),)),
    Covered("2", "dX has the shape [B, D]", ("backward.dX", "backward.dX_shape")),
    Covered("2", "1/B flows on from dZ2, and is not applied again", ("backward.duplicate",),
            (("explain-dz2", "no later line divides again"),)),
    Covered("2", "the ReLU is gated by the cached pre-activation", ("backward.relu_mask",),
            (("explain-relu", "pre-activation"),)),
    Covered("2", "the convention at z = 0 is named", ("backward.relu_zero",),
            (("explain-relu", "Names the own choice"),)),
    Covered("2", "dZ1 has the shape [B, H]", ("explanations.backward_shapes", "backward.dW1"),
            (("explain-shapes", "backward pass needs"),)),
    Covered("3", "the leaves require gradients, X among them", ("pytorch.graph", "pytorch.dX"),
            (("explain-autograd", "X needs requires_grad"),)),
    Covered("3", "the dynamic graph is accounted for", ("pytorch.autograd",),
            (("explain-autograd", "graph is recorded"),)),
    Covered("3", "leaf and non-leaf tensors are told apart", (),
            (("explain-autograd", "Leaf tensors"),)),
    Covered("3", "reverse mode accumulates", (), (("explain-autograd", "adds up"),)),
    Covered("3", "zero_grad matters, and why", ("pytorch.repeatable",),
            (("explain-zero-grad", "adds to .grad"),)),
    Covered("3", "all five gradients are compared",
            ("verification.exists", "verification.covers", "verification.refuses"),
            (("explain-verification", "All five"),)),
    Covered("3", "the tolerance is tight, the sizes small",
            ("verification.tight", "verification.accepts"),
            (("explain-verification", "Small sizes"),)),
    Covered("all", "shapes are right throughout, at every size",
            (*each("backward", "_shape"), "forward.edge_sizes", "backward.edge_sizes")),
    Covered("all", "1/B is the same in loss, gradients and reduction='mean'",
            ("forward.mean", "backward.batch_mean", "backward.own_loss", "pytorch.mean"),
            (("explain-dz2", "reduction='mean'"),)),
    Covered("all", "both sides see the same seeded inputs and weights", ("verification.accepts",),
            (("explain-verification", "same seeded inputs"),)),
    Covered("all", "finite differences too, ideally", ("verification.fd_catches", "verification.fd_restores"),
            (("explain-verification", "finite differences"),)),
    Covered("all", "aware of silent broadcasting", ("forward.bias",),
            (("explain-pitfalls", "Silent broadcasting"),)),
    Covered("all", "aware of wrong transposes", each("backward", "_shape"),
            (("explain-pitfalls", "Wrong transposes"),)),
    Covered("all", "aware of in-place operations", ("forward.pure", "backward.repeatable"),
            (("explain-pitfalls", "In-place operations"),)),
    Covered("all", "aware of logits against probabilities", ("pytorch.logits",),
            (("explain-pitfalls", "Logits against probabilities"),)),
    Covered("follow-ups", "layers, written generically",
            ("layers.linear", "layers.relu", "layers.loss", "layers.composed", "layers.state"),
            (("followup-q1", "backward(upstream)"),)),
    Covered("follow-ups", "subtracting the maximum changes nothing", (),
            (("followup-q2", "cancels"),)),
    Covered("follow-ups", "what subtracting the maximum prevents", ("forward.overflow",),
            (("followup-q2", "overflow"),)),
    Covered("follow-ups", "backward twice without zero_grad", ("pytorch.repeatable",),
            (("followup-q3", "add up"),)),
    Covered("follow-ups", "where in-place operations break autograd", (),
            (("followup-q4", "overwritten"),)),
    Covered("follow-ups", "PyTorch detects it by version counters", (),
            (("followup-q4", "version counter"),)),
    Covered("follow-ups", "finite differences, their step", ("verification.fd_accurate",), (("followup-q5", "h of about"),)),
    Covered("follow-ups", "finite differences, their tolerance", ("verification.fd_catches",),
            (("followup-q5", "Relative error"),)),
)  # fmt: skip


def missing(rubric: Rubric, rows: tuple[Covered, ...]) -> list[str]:
    """What a rubric lacks of the rows, a line each."""
    items = [item for part in rubric.parts for item in part.items]
    resting = {check for item in items for check in item.checks}
    resting |= {check for dimension in rubric.dimensions for check in dimension.checks}
    guidance = {item.id: " ".join(item.guidance) for item in items if item.manual}
    lacks = []
    for row in rows:
        where = f"part {row.part}, {row.sentence}"
        if not row.checks and not row.human:
            lacks.append(f"{where}: nothing")
        lacks += [f"{where}: {check}" for check in row.checks if check not in resting]
        lacks += [
            f"{where}: {id} without {words!r}"
            for id, words in row.human
            if words not in guidance.get(id, "")
        ]
    return lacks


def test_every_sentence_has_a_check_or_a_human(onsite: Rubric) -> None:
    assert missing(onsite, SHOULD_COVER) == []
    assert {row.part for row in SHOULD_COVER} == {"1", "2", "3", "all", "follow-ups"}
    sentences = [row.sentence for row in SHOULD_COVER]
    assert len(set(sentences)) == len(sentences)


def test_every_human_item_serves_a_sentence(onsite: Rubric) -> None:
    manual = {item.id for part in onsite.parts for item in part.items if item.manual}
    assert manual == {id for row in SHOULD_COVER for id, _ in row.human}


@pytest.mark.parametrize("id", ["backward-batch-mean", "explain-zero-grad", "followup-q4"])
def test_an_item_that_goes_is_missed(onsite: Rubric, id: str) -> None:
    parts = [
        part.model_copy(update={"items": tuple(i for i in part.items if i.id != id)})
        for part in onsite.parts
    ]
    without = Rubric(onsite.id, onsite.title, onsite.digest, tuple(parts))
    assert missing(without, SHOULD_COVER)


def test_the_pitfalls_are_five_rows_over_all_parts(onsite: Rubric) -> None:
    (pitfalls,) = [d for d in onsite.dimensions if d.id == "pitfalls"]
    assert [group.title.partition(" ")[0] for group in pitfalls.groups] == [
        "Silent", "Wrong", "In-place", "Logits", "The",
    ]  # fmt: skip
    parts = {check.partition(".")[0] for check in pitfalls.counted}
    assert parts == {"forward", "backward", "pytorch", "verification", "layers"}
    assert all(len(group.checks) >= 4 for group in pitfalls.groups)
