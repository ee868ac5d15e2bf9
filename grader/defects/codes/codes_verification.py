"""Mistakes in the comparison of both sides and in the finite-difference check."""

from grader.defects.codes.code import Area, Code
from grader.records import Severity

VERIFICATION: tuple[Code, ...] = (
    Code(
        "verify-missing",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="Nothing in the submission compares the two sides.",
        shows="verification.exists fails; the other checks of the verification wait for it.",
        why="Two sets of gradients agree when something says so, not when they were both printed.",
        hint="Define verify(X, y, W1, b1, W2, b2): run both sides on the same arguments, compare.",
        wrong="print(mine)\nprint(theirs)",
        right="def verify(X, y, W1, b1, W2, b2):\n"
        "    mine = backward(forward(X, y, W1, b1, W2, b2)[1])\n"
        "    theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]\n"
        "    return all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12) for n in mine)",
    ),
    Code(
        "verify-always-true",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="The verification says yes to any gradients, wrong ones included.",
        shows="verification.covers fails for all five: each was made wrong, and verify said yes.",
        why="A test that cannot fail carries no information: P(yes | right) = P(yes | wrong) = 1.",
        hint="Spoil one gradient on purpose and watch what your verification says.",
        wrong='print("difference", max(np.abs(mine[n] - theirs[n]).max() for n in mine))\n'
        "agree = True",
        right="worst = max(np.abs(mine[n] - theirs[n]).max() for n in mine)\n"
        "agree = worst <= 1e-10",
    ),
    Code(
        "verify-partial",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="Some of the five gradients are never compared.",
        shows="verification.covers fails; verification.refuses alone, where sums are compared.",
        why="The five gradients fail on their own: a wrong db2 leaves the other four right.",
        hint="Loop over the names of all five, and include X.",
        wrong='agree = all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12) for n in ("W1", "W2"))',
        right="agree = all(np.allclose(mine[n], theirs[n], 1e-9, 1e-12)\n"
        '            for n in ("W1", "b1", "W2", "b2", "X"))',
    ),
    Code(
        "verify-loose-tolerance",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="The limit is so wide that a plainly wrong gradient still fits in.",
        shows="verification.tight fails: verify accepts a gradient that is 1 % off.",
        why="Gradients of a mean are small, often below 1e-2: an absolute limit of 0.1 lets even\n"
        "zeros through. Rounding in float64 needs about 1e-12, relative to the largest entry.",
        hint="Relate the limit to the gradient's own size and to the dtype's eps.",
        wrong="agree = all(np.allclose(mine[n], theirs[n], atol=0.1) for n in mine)",
        right="agree = all(np.abs(mine[n] - theirs[n]).max() <= 1e-9 * np.abs(theirs[n]).max()\n"
        "            for n in mine)",
    ),
    Code(
        "verify-rejects-correct",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="Two right answers are told that they differ.",
        shows="verification.accepts fails: verify refuses although the two sides agree.",
        why="(a + b) + c and a + (b + c) differ in the last bit, and BLAS chooses the order:\n"
        "right programs differ by about n · eps of the largest entry.",
        hint="Allow for rounding: relative to the tensor's largest entry, not entry by entry.",
        wrong="agree = all((mine[n] == theirs[n]).all() for n in mine)",
        right="agree = all(np.abs(mine[n] - theirs[n]).max() <= 1e-9 * np.abs(theirs[n]).max()\n"
        "            for n in mine)",
    ),
    Code(
        "verify-different-inputs",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="Each side of the comparison works on numbers of its own.",
        shows="verification.accepts fails, and an input of one side never reaches the other.",
        why="Gradients are functions of their inputs: they agree only where the inputs do, in\n"
        "value and in dtype.",
        hint="Draw nothing inside verify; hand the same six arrays to both sides.",
        wrong="theirs = torch_forward_backward(np.random.randn(B, D), y, W1, b1, W2, b2)[1]",
        right="theirs = torch_forward_backward(X, y, W1, b1, W2, b2)[1]",
    ),
    Code(
        "fd-one-sided",
        Area.VERIFICATION,
        Severity.MINOR,
        what="The finite difference looks to one side only.",
        shows="verification.fd_accurate fails: the loss is taken at x + h, and never at x - h.",
        why="(f(x+h) − f(x))/h = f' + h f''/2 + …: an error of 1e-8 at best. From both sides the\n"
        "even terms cancel, and h² f'''/6 is left: 1e-10.",
        hint="Step the same way in both directions and divide by the whole distance.",
        wrong="slope = (f(x + h) - f(x)) / h",
        right="slope = (f(x + h) - f(x - h)) / (2 * h)",
    ),
    Code(
        "fd-step-too-large",
        Area.VERIFICATION,
        Severity.MINOR,
        what="The step is so wide that the loss bends, or a ReLU switches, inside it.",
        shows="verification.fd_accurate fails and gives the step: above 2e-3 in float64.",
        why="Truncation is h² f'''/6: at h = 0.1 that is 1e-3; at eps^(1/3) = 6e-6 it is 1e-11.",
        hint="Halve the step: if the error falls to a quarter, it was too large.",
        wrong="h = 1e-1\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        right="h = 6e-6  # eps ** (1 / 3)\nslope = (f(x + h) - f(x - h)) / (2 * h)",
    ),
    Code(
        "fd-step-too-small",
        Area.VERIFICATION,
        Severity.MINOR,
        what="The step is so narrow that rounding swallows the difference.",
        shows="verification.fd_accurate fails and gives the step: below 2e-10 in float64.",
        why="f carries an error of eps·|f|, so the slope one of eps·|f|/h: 1e-4 at h = 1e-12. In\n"
        "float32 it is worse still: use float64 for this check.",
        hint="Double the step: if the error halves, it was too small.",
        wrong="h = 1e-12\nslope = (f(x + h) - f(x - h)) / (2 * h)",
        right="h = 6e-6  # eps ** (1 / 3)\nslope = (f(x + h) - f(x - h)) / (2 * h)",
    ),
    Code(
        "fd-always-passes",
        Area.VERIFICATION,
        Severity.MAJOR,
        what="The finite-difference check says yes whatever it has measured.",
        shows="verification.fd_catches fails: each of the five was made wrong, and it said yes.",
        why="`not error > limit` holds for nan, and a limit of 1 for nearly everything: a\n"
        "relative error |a − b| / (|a| + |b|) is never above 1.",
        hint="Feed it a gradient of zeros and one of nan; it should refuse both.",
        wrong="error = abs(slope - gradient) / (abs(slope) + abs(gradient))\n"
        "passed = not error > 1",
        right="error = abs(slope - gradient) / (abs(slope) + abs(gradient))\n"
        "passed = error <= 1e-6",
    ),
)
