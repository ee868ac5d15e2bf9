"""Mistakes in the comparison of both sides."""

from __future__ import annotations

from functools import partial

from grader.defects.kind import Centrality, Kind, Sign
from grader.defects.signs.verify import (
    accepts_a_percent,
    accepts_everything,
    accepts_what_differs,
    compares_a_part,
    refuses_what_agrees,
    unlike_inputs,
)
from grader.defects.simulations import (
    agreement_refused,
    everything_accepted,
    nothing_compared,
    small_errors_accepted,
    tensors_overlooked,
)
from grader.defects.sites.verify import rejects, says_yes
from grader.records import Part

TRIALS = ("verification.covers", "verification.refuses", "verification.tight")
"""Checks that spoil a gradient; they wait where the two sides do not agree, or do not run."""

AGREEMENT = "verification.accepts"
"""Looks at the two sides as they are; what explains it explains why the trials wait."""


kind = partial(Kind, part=Part.VERIFICATION)

VERIFY: tuple[Kind, ...] = (
    kind(
        code="verify-missing",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Nothing in the submission compares the two sides.",
        shows="verification.exists fails; the other checks of the verification wait for it.",
        why="Two sets of gradients agree when something says so, not when they were both printed.",
        hint="Define verify(X, y, W1, b1, W2, b2): run both sides on the same arguments, compare.",
        ask="What in your code says that the two sides agree?",
        wrong="print(mine)\nprint(theirs)",
        right="def verify(X, y, W1, b1, W2, b2):\n"
        "    mine = backward(forward(X, y, W1, b1, W2, b2)[1])\n"
        "    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]\n"
        "    return all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12) for n in mine)",
        simulation=nothing_compared,
        refuted_by="verification.exists",
        unmeasured=True,
    ),
    kind(
        code="verify-different-inputs",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Each side of the comparison works on numbers of its own.",
        shows="verification.accepts fails, and an input of one side never reaches the other.",
        why="Gradients are functions of their inputs: they agree only where the inputs do, in\n"
        "value and in dtype.",
        hint="Draw nothing inside verify; hand the same six arrays to both sides.",
        ask="Which arrays does each side of your comparison work on?",
        wrong="theirs = torch_forward_backward(np.random.randn(B, D), y, W1, b1, W2, b2)[1]",
        right="theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]",
        signs=(Sign(unlike_inputs, (AGREEMENT,)),),
        simulation=agreement_refused,
    ),
    kind(
        code="verify-rejects-correct",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Two right answers are told that they differ.",
        shows="verification.accepts fails: verify refuses although the two sides agree.",
        why="(a + b) + c and a + (b + c) differ in the last bit, and BLAS chooses the order:\n"
        "right programs differ by about n · eps of the largest entry.",
        hint="Allow for rounding: relative to the tensor's largest entry, not entry by entry.",
        ask="By how much do two right programs differ in float64?",
        wrong="agree = all((mine[n] == theirs[n]).all() for n in mine)",
        right="agree = all(np.abs(mine[n] - theirs[n]).max() <= 1e-9 * np.abs(theirs[n]).max()\n"
        "            for n in mine)",
        signs=(Sign(refuses_what_agrees, (AGREEMENT,)),),
        simulation=agreement_refused,
        placed=rejects,
        sharper=True,
    ),
    kind(
        code="verify-always-true",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The verification says yes to any gradients, wrong ones included.",
        shows="verification.covers fails for all five: each was made wrong, and verify said yes.",
        why="A test that cannot fail carries no information: P(yes | right) = P(yes | wrong) = 1.",
        hint="Spoil one gradient on purpose and watch what your verification says.",
        ask="What does your verification say of a gradient that you have spoiled on purpose?",
        wrong='print("difference", max(np.abs(mine[n] - theirs[n]).max() for n in mine))\n'
        "agree = True",
        right="worst = max(np.abs(mine[n] - theirs[n]).max() for n in mine)\n"
        "agree = worst <= 1e-10",
        signs=(Sign(accepts_what_differs(*TRIALS), (AGREEMENT,)), Sign(accepts_everything, TRIALS)),
        simulation=everything_accepted,
        placed=says_yes,
    ),
    kind(
        code="verify-partial",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="Some of the five gradients are never compared.",
        shows="verification.covers fails; verification.refuses alone, where sums are compared.",
        why="The five gradients fail on their own: a wrong db2 leaves the other four right.",
        hint="Loop over the names of all five, and include X.",
        ask="Which of the five gradients does your verification compare?",
        wrong='agree = all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12) for n in ("W1", "W2"))',
        right="agree = all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12)\n"
        '            for n in ("W1", "b1", "W2", "b2", "X"))',
        signs=(Sign(compares_a_part, TRIALS),),
        simulation=tensors_overlooked,
    ),
    kind(
        code="verify-loose-tolerance",
        centrality=Centrality.EXTREMES_OR_CHECKS,
        what="The limit is so wide that a plainly wrong gradient still fits in.",
        shows="verification.tight fails: verify accepts a gradient that is 1 % off.",
        why="Gradients of a mean are small, often below 1e-2: an absolute limit of 0.1 lets even\n"
        "zeros through. Rounding in float64 needs about 1e-12, relative to the largest entry.",
        hint="Relate the limit to the gradient's own size and to the dtype's eps.",
        ask="How large are your gradients, and how large is your tolerance?",
        wrong="agree = all(np.allclose(mine[n], theirs[n], atol=0.1) for n in mine)",
        right="agree = all(np.abs(mine[n] - theirs[n]).max() <= 1e-9 * np.abs(theirs[n]).max()\n"
        "            for n in mine)",
        signs=(Sign(accepts_a_percent, TRIALS),),
        simulation=small_errors_accepted,
    ),
)
