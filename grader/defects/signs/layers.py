"""How kinds show in the reusable layers: in what each gives alone, and when it is called again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.checks.layers import ALONE, OPEN, compared, error_of, handed_in, is_changed, layer_run
from grader.checks.tensors import LAYER_ALONE, LAYER_STATE, LAYERS_COMPOSED
from grader.checks.view import View
from grader.defects import BY_CODE
from grader.defects.table import of_layer
from grader.problem.network import Fault
from grader.records import Array, CheckStatus, Confidence, Ended, Finding, Frame, Observation

CLOSE = 1e-9
"""Relative gap between a prediction and an array that it explains; rounding is below 1e-11."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake in one kind of layer: the arrays it spoils, and the check that shows it."""

    code: str
    kind: str
    arrays: tuple[str, ...]
    check: str
    words: str = ""
    confidence: Confidence = Confidence.PROVEN
    frames: tuple[Frame, ...] = ()
    checks: tuple[str, ...] = ()


def layer_slips(view: View, findings: Mapping[str, Finding]) -> list[Slip]:
    """Return the mistakes of the layers, one for each kind of layer and of mistake."""
    return list(_merged([*_alone(view, findings), *_of_calls(view, findings)]))


MISPLACED = (
    "1/B is missing here, and the linear layer divides instead; so the gradient for the "
    "input lacks it, and no other layer could follow."
)


def _merged(slips: Sequence[Slip]) -> Iterator[Slip]:
    """One slip a kind and code, and one for two that are the same mistake."""
    groups: dict[tuple[str, str, str], Slip] = {}
    for slip in slips:
        key = slip.kind, slip.code, slip.check
        before = groups.get(key)
        arrays = tuple(dict.fromkeys([*(before.arrays if before else ()), *slip.arrays]))
        groups[key] = replace(before or slip, arrays=arrays)
    divided, missing = ("linear", "grad-double-batch-mean"), ("loss", "grad-missing-batch-mean")
    codes = {(s.kind, s.code) for s in groups.values()}
    for slip in groups.values():
        if {divided, missing} <= codes and (slip.kind, slip.code) == divided:
            continue
        if {divided, missing} <= codes and (slip.kind, slip.code) == missing:
            slip = replace(slip, words=MISPLACED, checks=(slip.check, LAYER_ALONE["linear"]))
        yield slip


# ── one layer alone ──────────────────────────────────────────────────────────


def _alone(view: View, findings: Mapping[str, Finding]) -> Iterator[Slip]:
    for kind, check in LAYER_ALONE.items():
        if findings[check].status is CheckStatus.FAIL:
            slips = [*_first_call(view, kind, check)]
            yield from slips or _elsewhere(view, kind, check)


def _first_call(view: View, kind: str, check: str) -> Iterator[Slip]:
    """What is wrong on the stack whose sizes all differ."""
    name = ALONE[kind][0]
    answers, run = view.exam.stacks[name], layer_run(view, name)
    if not run.ok:
        words = f"{run.error or run.ended}."
        yield Slip("runtime-error", kind, (), check, words, frames=run.frames)
        return
    given = answers.stack.inputs
    wrong = [
        n
        for n, want in answers.values.items()
        if (n != "out" or kind != "loss")
        and compared(answers, run, n, want).verdict is not CheckStatus.PASS
    ]
    fitting = {n: _fitting(kind, n, run, given) for n in wrong}
    shown = Counter(f.code for faults in fitting.values() for f in dict.fromkeys(faults))
    for array, faults in fitting.items():
        best = max(faults, key=lambda f: shown[f.code], default=None)
        if best is None:
            code = _unexplained(array) if array in run.arrays or array[0] != "d" else "grad-missing"
            likely = Confidence.LIKELY if BY_CODE[code].unexplained else Confidence.PROVEN
            yield Slip(code, kind, (array,), check, confidence=likely)
            continue
        words = ""
        if best.slope is not None:
            words = f"{BY_CODE[best.code].what.rstrip('.')} ({best.variant})."
        likely = Confidence.LIKELY if BY_CODE[best.code].unexplained else Confidence.PROVEN
        yield Slip(best.code, kind, (array,), check, words, likely)
        if best.slope is not None and "dx0" in fitting and _is_own(best, run, given):
            return  # the gradient is that of what stands there


def _fitting(kind: str, array: str, run: Observation, given: Mapping[str, Array]) -> list[Fault]:
    """The faults that give just this array, one a code."""
    got, found = run.arrays.get(array), dict[str, Fault]()
    if got is None:
        return []
    for fault, want in of_layer(kind, array, given):
        if fault.code not in found and want.shape == got.shape and error_of(got, want) <= CLOSE:
            found[fault.code] = fault
    return list(found.values())


def _is_own(fault: Fault, run: Observation, given: Mapping[str, Array]) -> bool:
    """Whether the gradient of a wrong activation is its own."""
    got = run.arrays.get("dx0")
    if got is None or fault.slope is None:
        return False
    want = np.asarray(given["upstream"] * fault.slope({"Z1": given["x"]}))
    return got.shape == want.shape and bool(error_of(got, want) <= CLOSE)


def _unexplained(array: str) -> str:
    return "loss-unexplained" if array in ("out", "loss") else "grad-unexplained"


def _elsewhere(view: View, kind: str, check: str) -> Iterator[Slip]:
    """Right where all sizes differ, and wrong on another stack of this layer alone."""
    if kind == "loss" and _is_wrong(view, "loss_huge"):
        code = _on_huge(view)
        likely = Confidence.LIKELY if BY_CODE[code].unexplained else Confidence.PROVEN
        yield Slip(code, kind, ("loss",), check, confidence=likely)
        return
    arrays = [n for n in ("out", "loss", "dx0", "dW0", "db0") for s in ALONE[kind][1:2]
              if _is_wrong(view, s, n)]  # fmt: skip
    code = _unexplained(arrays[0] if arrays else "")
    words = "wrong where the sizes are equal: an axis is mistaken for another."
    yield Slip(code, kind, tuple(arrays), check, words, Confidence.LIKELY)


def _is_wrong(view: View, stack: str, array: str = "") -> bool:
    answers, run = view.exam.stacks[stack], layer_run(view, stack)
    names = [array] if array else [n for n in answers.values if n != "out"]
    return any(
        compared(answers, run, n, answers.values[n]).verdict is not CheckStatus.PASS
        for n in names
        if n in answers.values
    )


def _on_huge(view: View) -> str:
    """Even rows have huge logits, odd rows ordinary ones far below the batch's maximum."""
    answers, run = view.exam.stacks["loss_huge"], layer_run(view, "loss_huge")
    want, loss, dx = answers.values["dx0"], run.arrays.get("loss"), run.arrays.get("dx0")
    if dx is None or dx.shape != want.shape or loss is None:
        return "loss-unexplained"
    right = [error_of(a, b) <= answers.limit() for a, b in zip(dx, want, strict=True)]
    if not any(right[0::2]) and all(right[1::2]):
        return "softmax-no-max-shift"
    if not any(right[1::2]) and all(right[0::2]):
        return "softmax-global-max"
    if all(right) and not np.isfinite(loss).all():
        return "loss-log-underflow"
    return "loss-unexplained"


# ── calls that follow ────────────────────────────────────────────────────────


def _of_calls(view: View, findings: Mapping[str, Finding]) -> Iterator[Slip]:
    yield from _gated_by_output(view)
    if findings[LAYER_STATE].status is CheckStatus.FAIL:
        for kind in ALONE:
            if handed_in(view, kind) and findings[LAYER_ALONE[kind]].status is CheckStatus.PASS:
                yield from _changing(view, kind)
    shared = [findings[check].status for check in (LAYERS_COMPOSED, LAYER_STATE)]
    alone = all(findings[LAYER_ALONE[kind]].status is not CheckStatus.FAIL for kind in ALONE)
    if alone and shared[0] is CheckStatus.FAIL and layer_run(view, OPEN).ended is Ended.OK:
        words = "right alone and wrong beside another of its class: the two share what they keep."
        yield Slip("hidden-state", "", (), LAYERS_COMPOSED, words, Confidence.LIKELY)


def _gated_by_output(view: View) -> Iterator[Slip]:
    """Whether the ReLU reads its gate off the output that it gave away."""
    answers, run = view.exam.stacks["relu"], layer_run(view, "relu")
    got, given = run.arrays.get("overwritten.dx0"), answers.stack.inputs
    if got is None or got.shape != given["x"].shape:
        return
    turned = given["upstream"] * (given["x"] <= 0)
    first = compared(answers, run, "dx0", answers.values["dx0"])
    if first.verdict is CheckStatus.PASS and error_of(got, turned) <= CLOSE:
        words = "the gate is read off the output, which is wrong once somebody writes over it."
        yield Slip("relu-mask-from-activation", "relu", ("dx0",), LAYER_ALONE["relu"], words)


def _changing(view: View, kind: str) -> Iterator[Slip]:
    """What a second call of a layer gives that is right at first."""
    name = ALONE[kind][0]
    answers, run = view.exam.stacks[name], layer_run(view, name)
    first, second = answers.values, answers.second
    changed = [n for n, a in answers.stack.inputs.items() if is_changed(run, n, a)]
    if changed:
        words = f"{', '.join(c.rstrip('0') for c in changed)}: changed in place by the call."
        yield Slip("mutates-input", kind, (), LAYER_STATE, words)
    kept = [n for n in first if n[0] == "d"]
    again = [n for n in kept if _differs(run, f"again.{n}", first[n])]
    added = [n for n in again if not _differs(run, f"again.{n}", 2.0 * first[n])]
    summed = [n for n in ("dW0", "db0") if n in first
              and not _differs(run, f"second.{n}", first[n] + second[n])
              and f"second.{n}" in run.arrays]  # fmt: skip
    if added or summed:
        yield Slip("grad-accumulates", kind, tuple(dict.fromkeys([*added, *summed])), LAYER_STATE)
    if spoilt := [n for n in again if n not in added]:
        yield Slip("mutates-cache", kind, tuple(spoilt), LAYER_STATE)
    other = [n for n in second if n not in summed and _differs(run, f"second.{n}", second[n])]
    if (other or "second" in run.failures) and not (added or spoilt or changed):
        words = "after a second forward it still works with what it kept from the first."
        yield Slip("hidden-state", kind, tuple(other), LAYER_STATE, words, Confidence.LIKELY)


def _differs(run: Observation, name: str, want: Array) -> bool:
    """Whether an array came, and is another."""
    got = run.arrays.get(name)
    return got is not None and not (got.shape == want.shape and error_of(got, want) <= CLOSE)
