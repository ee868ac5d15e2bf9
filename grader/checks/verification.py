"""Checks of the candidate's own verification."""

from __future__ import annotations

import numpy as np

from grader.checks.check import Conclusion, check, failed, judge, passed, waits
from grader.checks.view import View, failure, number, trouble
from grader.child.reports import OWN_NUMBERS, Refusal
from grader.observe.plan import VERIFY_CASES
from grader.problem.compare import AGREE, DERIVED, DIFFER, TINY, error
from grader.records import TENSORS, CheckStatus, Ended, Evidence, Mismatch, OwnVerdict

SAYS = {True: OwnVerdict.AGREES, False: OwnVerdict.DIFFERS}

IN_COMMON = 3
"""Of five gradients, those that both sides have to give before there is anything to compare."""


@check(
    "verification.exists",
    "There is a verification",
    hint="Define verify(X, y, W1, b1, W2, b2) that compares both sides' five gradients.",
    serves="Part 3: all five gradients compared.",
)
def exists(view: View) -> Conclusion:
    """`verify` is defined, and is more than a stub; or the file's own statements verify."""
    report = view.observations.torch
    if not report.loaded.ok:
        return failed(f"Importing the file with PyTorch failed: {report.loaded.error}.")
    verify = next((f for f in report.functions if f.name == "verify"), None)
    if view.step("verify/primes").ended is Ended.MISSING:
        if not view.verification.by_script:
            return failed("No function verify was found, and no script that compares.")
        return passed("The script compares both sides where it runs.")
    if verify is not None and verify.is_stub:
        return failed("verify is a stub.", Evidence("verify", "a comparison", "an empty body"))
    return passed("verify is defined.")


@check(
    "verification.accepts",
    "verify judges the two sides rightly",
    needs=("verification.exists",),
    hint="Compare the same inputs and weights on both sides, within a relative tolerance "
    "that leaves room for rounding (about 1e-9 in float64).",
    serves="Part 3: verification on the same seeded inputs and weights, within a tight tolerance.",
)
def accepts(view: View) -> Conclusion:
    """`verify` says yes where the candidate's two sides agree, and no where they plainly differ."""
    if view.verification.by_script and view.step("verify/primes").ended is Ended.MISSING:
        return judge([_of_script(view)], "The script's comparison judges its two sides rightly.")
    lines = [line for case in VERIFY_CASES if (line := _verdict(view, case))]
    if not lines:
        return waits("The two sides did not both run, so no verdict is right.", "pytorch.runs")
    return judge(lines, "verify judges the candidate's own two sides rightly.")


def _verdict(view: View, case: str) -> Evidence | None:
    """Whether verify's word on `case` fits the gap; None where a side is missing."""
    apart = gap(view, case)
    if apart is None:
        return None
    step = view.step(f"verify/{case}")
    if not step.ok:
        words = trouble(step, "verdict")
        return Evidence("verify", "a verdict", words, case, mismatch=failure(step))
    accepted = bool(step.arrays["accepted"])
    answer = "yes" if accepted else "no"
    if apart <= AGREE and _unclear(view, case):
        wanted, right = "either: the sides agree in the gradients' numbers alone", True
    elif apart <= AGREE:
        wanted, right = "yes: the two sides agree", accepted
    elif apart <= DIFFER:
        wanted, right = "either: the two sides differ slightly", True
    else:
        wanted = f"no: the two sides differ by {number(apart)} of their size"
        right = not accepted or _objects_otherwise(view)
        answer = "no, in other words" if right and accepted else answer
    mismatch = Mismatch.ACCEPTED if accepted else Mismatch.REFUSED
    status = CheckStatus.of(right)
    return Evidence("verify", wanted, answer, case, verdict=status, mismatch=mismatch)


def own_verdict(view: View) -> OwnVerdict | None:
    """Return what the submission's own verification says of its two sides, as handed in.

    None where it could not be asked. What it prints or compares counts where it returns nothing
    that says so.
    """
    step, record = view.step("verify/primes"), view.verification
    as_is = record.accepts_as_is if record.accepts_as_is is not None else record.accepts
    if step.ended is Ended.MISSING:
        said = as_is if record.by_script else None
        return OwnVerdict.SILENT if said is None else SAYS[said]
    if step.ended is Ended.RAISED:
        return OwnVerdict.RAISES
    if not step.ok:
        return None
    if record.accepts_as_is is not None:
        return SAYS[record.accepts_as_is]
    return SAYS[bool(step.arrays["accepted"])]


def own_mismatch(view: View) -> tuple[str, ...]:
    """Return the gradients in which the submission's two sides differ on ordinary input."""
    return tuple(t for t in TENSORS if (gap_of(view, "primes", t) or 0.0) > AGREE)


def _objects_otherwise(view: View) -> bool:
    """Whether a verify that returns no verdict says no in print, or by a comparison it makes."""
    record = view.verification
    wordless = record.by_as_is in (Refusal.PRINT, Refusal.NUMBER, Refusal.COMPARISON)
    return wordless and record.accepts_as_is is False


def _of_script(view: View) -> Evidence:
    """Whether the script's own comparison fits what its two sides give on its own numbers.

    Where they differ by a bug, what it says of them as they are must be no.
    """
    record = view.verification
    if record.equalised:
        answer, wanted = record.accepts_as_is, "no: the two sides differ"
    else:
        answer, wanted = record.accepts, "yes: the two sides agree"
    right = answer is not record.equalised
    mismatch = Mismatch.ACCEPTED if answer else Mismatch.REFUSED
    words = {True: "yes", False: "no", None: "nothing clear"}[answer]
    status = CheckStatus.of(right)
    return Evidence("the script", wanted, words, OWN_NUMBERS, verdict=status, mismatch=mismatch)


def _unclear(view: View, case: str) -> bool:
    """Whether a verify that looks closer may rightly refuse: other shapes, or other losses.

    Also where a side gives another answer each time: what verify saw is then unknown.
    """
    by_hand, by_torch = view.step(f"backward/{case}"), view.step(f"torch/{case}")
    arrays = [(by_hand.arrays.get(t), by_torch.arrays.get(t)) for t in TENSORS]
    shapes = [tuple(None if a is None else a.shape for a in pair) for pair in arrays]
    losses = [view.step(f"{s}/{case}").arrays.get("loss") for s in ("forward", "torch")]
    a, b = (np.zeros(0) if loss is None else np.ravel(loss) for loss in losses)
    same_loss = a.shape == b.shape and error(a, b) <= DERIVED
    return any(x != y for x, y in shapes) or not same_loss or _unsteady(view)


def _unsteady(view: View) -> bool:
    """Whether a part gives something else when it is called again."""
    lines = view.again("forward/primes", "loss")
    lines += view.again("backward/primes", *TENSORS)
    lines += view.again("torch/primes", "loss", *TENSORS)
    return not all(line.good for line in lines)


def gap(view: View, case: str) -> float | None:
    """Return the largest relative difference between the candidate's two sides.

    None where they have hardly any gradient in common: then they did not both run.
    """
    gaps = [gap for t in TENSORS if (gap := gap_of(view, case, t)) is not None]
    return max(gaps) if len(gaps) >= IN_COMMON else None


def gap_of(view: View, case: str, tensor: str) -> float | None:
    """Return the relative difference in one gradient; None where a side is missing."""
    a, b = (view.step(f"{part}/{case}").arrays.get(tensor) for part in ("backward", "torch"))
    if a is None or b is None:
        return None
    if a.size != b.size:
        return float("inf")
    apart = error(np.ravel(a), np.ravel(b), TINY)
    return apart if np.isfinite(apart) else float("inf")


VERIFICATION = (exists, accepts)
