"""Defects that show in how an answer behaves between calls, and in what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from grader.checks.view import View, number
from grader.diagnosis.difference_check import difference_defects
from grader.diagnosis.numeric import Part, make
from grader.diagnosis.verification import verification_defects
from grader.problem.compare import proportion
from grader.records import TENSORS, CheckStatus, Confidence, Defect, Ended, Finding

Findings = Mapping[str, Finding]
IN_PLACE = ("inplace operation", "in-place operation")
"""PyTorch's words where backward finds a tensor changed, and where a leaf refuses to be."""


def behaviour_defects(
    view: View, findings: Findings, numpy: Part | None, torch: Part | None
) -> Iterator[Defect]:
    """Everything that the fault table cannot predict, one defect a cause."""
    yield from _numpy(view, findings)
    yield from _spoilt_by_huge(findings, numpy)
    yield from _missing(numpy, torch)
    yield from _torch(view, findings)
    yield from verification_defects(view, findings)
    yield from difference_defects(view)


def _failed(findings: Findings, check: str) -> bool:
    return findings[check].status is CheckStatus.FAIL


def _ran(view: View, *steps: str) -> bool:
    """Whether the calls that a comparison needs came to an end; no time left is no difference."""
    return not {view.observations[step].ended for step in steps} & {Ended.TIMEOUT, Ended.NOT_RUN}


def _numpy(view: View, findings: Findings) -> Iterator[Defect]:
    if _failed(findings, "forward.pure"):
        changed = [e.what for e in findings["forward.pure"].evidence if e.observed == "changed"]
        names = ", ".join(changed)
        tensors = tuple(t for t in TENSORS if t in changed)
        yield make("mutates-input", f"{names}: changed in place by the call.", tensors)
    if _failed(findings, "forward.repeatable") and _ran(view, "forward/primes/again"):
        yield make("nondeterministic", "The same forward gives another loss the second time.")
    mixed = ("backward/first", "backward/second")
    if _failed(findings, "backward.repeatable") and _ran(view, "backward/primes/again"):
        yield _again(view)
    elif _failed(findings, "backward.uses_cache") and _ran(view, *mixed):
        text = "After a second forward, backward(first cache) gives other gradients."
        yield make("hidden-state", text)
    if _class_count(view):
        text = "It goes wrong when the last class is absent from the batch: C is taken from y."
        yield make("class-count-from-labels", text)
    zero, mask = findings["backward.relu_zero"], findings["backward.relu_mask"]
    if zero.status is CheckStatus.FAIL and mask.status is CheckStatus.PASS:
        yield make("grad-unexplained", zero.message, ("W1", "b1", "X"), Confidence.LIKELY)
    both = zero.status is CheckStatus.PASS and mask.status is CheckStatus.PASS
    if both and not zero.message.startswith("The slope at z = 0 is 0 "):
        yield make("relu-zero-convention", zero.message)


HUGE = "not finite on huge logits"


def _spoilt_by_huge(findings: Findings, numpy: Part | None) -> Iterator[Defect]:
    """Gradients that only huge logits break, though the loss and its softmax are right there."""
    if numpy is None or numpy.explanation.forward or numpy.explanation.unexplained:
        return
    if any(f.fault.step == "P_used" for f in numpy.explanation.backward):
        return
    bad = [e for e in findings["backward.stable"].evidence if e.verdict is not CheckStatus.PASS]
    if not _failed(findings, "backward.stable") or not all("not finite" in e.observed for e in bad):
        return
    tensors = tuple(t for t in TENSORS if any(e.what == f"d{t}" for e in bad))
    names = ", ".join(f"d{t}" for t in tensors)
    text = f"{names}: {HUGE}, and right on ordinary ones: a probability may be rounded to zero."
    yield make("grad-unexplained", text, tensors, Confidence.LIKELY)


def _again(view: View) -> Defect:
    """A second backward with one cache: does it add, or is the cache spoiled?"""
    first, again = (view.observations[f"backward/primes{s}"].arrays for s in ("", "/again"))
    both = [t for t in TENSORS if t in first and t in again and first[t].shape == again[t].shape]
    changed = tuple(t for t in both if not np.allclose(first[t], again[t], rtol=1e-9))
    ratios = [proportion(again[t], first[t]) for t in changed]
    times = ratios[0] if ratios else None
    if times is not None and times > 1 and all(r and abs(r - times) <= 1e-6 for r in ratios):
        text = f"A second backward gives {number(times)} × what the first gave: it adds to that."
        return make("grad-accumulates", text, changed)
    return make("mutates-cache", "A second backward with the same cache gives others.", changed)


def _class_count(view: View) -> bool:
    """Right with every class in the batch; raising, or wrong, without the last."""
    ordinary = view.observations["forward/primes"]
    absent, back = (view.observations[f"{side}/absent"] for side in ("forward", "backward"))
    odd = [s.ended in (Ended.RAISED, Ended.BAD_RETURN) for s in (absent, back)]
    return ordinary.ok and view.observations["backward/primes"].ok and any(odd)


def _missing(numpy: Part | None, torch: Part | None) -> Iterator[Defect]:
    if numpy and numpy.missing:
        names = ", ".join(f"d{t}" for t in numpy.missing)
        yield make("grad-missing", f"{names}: not returned.", numpy.missing)
    if torch and torch.missing:
        names = ", ".join(torch.missing)
        text = f"{names}: no gradient arrives from autograd."
        below = {"W1", "b1", "X"} <= set(torch.missing)
        code = "torch-graph-detached" if below else "torch-leaf-without-grad"
        yield make(code, text, torch.missing)


def _torch(view: View, findings: Findings) -> Iterator[Defect]:
    step = view.observations["torch/primes"]
    if step.ended is Ended.RAISED and any(words in step.error for words in IN_PLACE):
        yield make("torch-inplace", f"torch_forward_backward: {step.error}.")
    elif step.ended is Ended.RAISED and "does not require grad" in step.error:
        yield make("torch-graph-detached", f"torch_forward_backward: {step.error}.")
    if _failed(findings, "pytorch.autograd"):
        text = "Gradients arrive with autograd's engine switched off: they are written by hand."
        yield make("torch-manual-gradient", text)
    elif _failed(findings, "pytorch.repeatable"):
        text = "A second call adds to the first one's gradients."
        yield make("torch-grad-accumulates", text)
    if _failed(findings, "pytorch.float64"):
        text = "float64 goes in, and float32 arithmetic comes out."
        yield make("torch-precision-lost", text)
