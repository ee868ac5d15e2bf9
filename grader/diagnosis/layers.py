"""Defects of the reusable layers, from what each gives alone and when it is called again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.checks.layers import (
    ALONE,
    OPEN,
    compared,
    error_of,
    handed_in,
    is_changed,
    label_of,
    layer_run,
)
from grader.checks.view import View
from grader.defects.faults import (
    LAYER_ROWS,
    OWN_GRADIENT,
    other_activation,
    with_probabilities,
)
from grader.diagnosis.numeric import TABLE, make
from grader.diagnosis.sites_layers import Layer, layer_spot, layers_of
from grader.records import (
    Array,
    CheckStatus,
    Confidence,
    Defect,
    Ended,
    Finding,
    Frame,
    Observation,
    Severity,
)
from grader.source.program import Program, Spot

CLOSE = 1e-9
"""Relative gap between a prediction and an array that it explains; rounding is below 1e-11."""

STATE = "layers.state"


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


def layer_defects(
    view: View, findings: Mapping[str, Finding], program: Program, others: Sequence[Defect]
) -> list[tuple[Defect, tuple[str, ...]]]:
    """The defects of the layers, each with the checks that it makes fail.

    `others` are known already. Where the graded network is made of the same layers, a bug of
    theirs has been named with its line there, and is not named again.
    """
    layers = layers_of(view)
    if not layers:
        return []
    found: list[tuple[Defect, tuple[str, ...]]] = []
    for slip in _merged([*_alone(view, findings), *_of_calls(view, findings)]):
        layer = layers.get(slip.kind) or _sharing(program, layers)
        if not _known(program, layer, others):
            checks = (slip.check, *(["layers.linear"] if slip.words == MISPLACED else []))
            found.append((_defect(slip, layer, program), checks))
    return found


def _sharing(program: Program, layers: Mapping[str, Layer]) -> Layer:
    """The layer that keeps something for all of its class, as far as its source shows it."""
    shown = [a for a in layers.values() if layer_spot(program, a, "hidden-state", "")]
    return shown[0] if shown else Layer("The layers", "", "")


def _known(program: Program, layer: Layer, others: Iterable[Defect]) -> bool:
    """Whether a bug has been named inside this very layer."""
    spans = [
        (f.file, f.node.lineno, f.node.end_lineno or 0)
        for f in program.functions
        if f.owner == layer.name and (layer.name or f.name in (layer.forward, layer.backward))
    ]
    majors = [d for d in others if d.line is not None and d.severity is not Severity.INFO]
    return any(f == d.file and a <= (d.line or 0) <= b for d in majors for f, a, b in spans)


def _defect(slip: Slip, layer: Layer, program: Program) -> Defect:
    """A slip as a defect. The layers are an extra, so none is more than minor."""
    what = slip.words or TABLE[slip.code].what
    arrays = ", ".join(label_of(name) for name in slip.arrays)
    forward = slip.arrays and slip.arrays[0] in ("out", "loss")
    method = layer.forward if forward else layer.backward
    place = f"{layer.name}.{method}" if layer.name else method
    place = layer.name or place if not slip.arrays else place
    what = what if slip.code == "runtime-error" else f"{what[0].lower()}{what[1:]}"
    text = f"{place}{f' ({arrays})' if arrays else ''}: {what}"
    defect = make(slip.code, text, confidence=slip.confidence)
    if defect.severity is Severity.MAJOR:
        defect = replace(defect, severity=Severity.MINOR)
    spot = layer_spot(program, layer, slip.code, label_of(slip.arrays[0] if slip.arrays else ""))
    if slip.code == "runtime-error":
        last = slip.frames[-1] if slip.frames else None
        spot = Spot(last.file, last.line, last.line) if last else None
    return _at(defect, spot, program)


def _at(defect: Defect, spot: Spot | None, program: Program) -> Defect:
    if spot is None:
        return defect
    lines = program.lines.get(spot.file, ())
    source = lines[spot.line - 1].strip() if 0 < spot.line <= len(lines) else None
    return replace(defect, file=spot.file, line=spot.line, end_line=spot.end_line, source=source)


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
    codes = {(s.kind, s.code) for s in groups.values()}
    for slip in groups.values():
        of_loss = {c for k, c in codes if k == "loss"}
        if slip.kind == "loss" and any(OWN_GRADIENT.get(c) == slip.code for c in of_loss):
            continue  # the gradient is right for the loss that it belongs to
        if {("linear", "grad-double-batch-mean"), ("loss", "grad-missing-batch-mean")} <= codes:
            if slip.code == "grad-double-batch-mean" and slip.kind == "linear":
                continue
            if slip.code == "grad-missing-batch-mean":
                slip = replace(slip, words=MISPLACED)
        yield slip


# ── one layer alone ──────────────────────────────────────────────────────────


def _alone(view: View, findings: Mapping[str, Finding]) -> Iterator[Slip]:
    for kind in ALONE:
        check = f"layers.{kind}"
        if findings[check].status is not CheckStatus.FAIL:
            continue
        slips = [*_first_call(view, kind, check)]
        yield from slips or _elsewhere(view, kind, check)


def _first_call(view: View, kind: str, check: str) -> Iterator[Slip]:
    """What is wrong on the stack whose sizes all differ."""
    name = ALONE[kind][0]
    answers, run = view.exam.stacks[name], layer_run(view, name)
    if not run.ok:
        yield Slip(
            "runtime-error", kind, (), check, f"{run.error or run.ended}.", frames=run.frames
        )
        return
    given = answers.stack.inputs
    given = with_probabilities(given) if kind == "loss" else given
    wrong = [
        n for n, want in answers.values.items()
        if (n != "out" or kind != "loss")
        and compared(answers, run, n, want).verdict is not CheckStatus.PASS
    ]  # fmt: skip
    if kind == "relu" and "out" in wrong and (slip := _replaced(given, run, check)):
        activation, consistent = slip
        yield activation
        wrong = ["dx0"] if "dx0" in wrong and not consistent else []
    halves = {n: _explained(kind, n, run, given) for n in wrong}
    if halves.get("dW0") == "grad-double-batch-mean" and halves.get("db0") == "bias-grad-mean":
        halves["db0"] = "grad-double-batch-mean"  # db / B is the mean: one factor, in both
    if kind == "relu" and halves.get("out") == "relu-missing" and "dx0" in halves:
        halves.pop("dx0")  # the slope of what stands there
    for array, code in halves.items():
        unknown = code.endswith("unexplained")
        confidence = Confidence.LIKELY if unknown else Confidence.PROVEN
        yield Slip(code, kind, (array,), check, confidence=confidence)


def _replaced(given: Mapping[str, Array], run: Observation, check: str) -> tuple[Slip, bool] | None:
    """Another activation in the ReLU's place, and whether the gradient is its own."""
    out = run.arrays.get("out")
    if out is None:
        return None
    name, consistent = other_activation(given, out, run.arrays.get("dx0"), CLOSE)
    words = f"{name} stands where ReLU was asked for."
    return (Slip("relu-replaced", "relu", ("out",), check, words), consistent) if name else None


def _explained(kind: str, array: str, run: Observation, given: Mapping[str, Array]) -> str:
    """The code whose formula gives just this array."""
    got = run.arrays.get(array)
    if got is None:
        return "grad-missing" if array[0] == "d" else "loss-unexplained"
    for row in LAYER_ROWS:
        if row.kind == kind and row.array == array:
            with np.errstate(all="ignore"):
                want = np.asarray(row.gives(given))
            if want.shape == got.shape and error_of(got, want) <= CLOSE:
                return row.code
    return "loss-unexplained" if array in ("out", "loss") else "grad-unexplained"


def _elsewhere(view: View, kind: str, check: str) -> Iterator[Slip]:
    """Right where all sizes differ, and wrong on another stack of this layer alone."""
    if kind == "loss" and _is_wrong(view, "loss_huge"):
        code = _on_huge(view)
        likely = Confidence.LIKELY if code.endswith("unexplained") else Confidence.PROVEN
        yield Slip(code, kind, ("loss",), check, confidence=likely)
        return
    arrays = [n for n in ("out", "loss", "dx0", "dW0", "db0") for s in ALONE[kind][1:2]
              if _is_wrong(view, s, n)]  # fmt: skip
    code = "loss-unexplained" if arrays and arrays[0] in ("out", "loss") else "grad-unexplained"
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
    if findings[STATE].status is CheckStatus.FAIL:
        for kind in ALONE:
            if handed_in(view, kind) and findings[f"layers.{kind}"].status is CheckStatus.PASS:
                yield from _changing(view, kind)
    shared = [findings[check].status for check in ("layers.composed", STATE)]
    alone = all(findings[f"layers.{kind}"].status is not CheckStatus.FAIL for kind in ALONE)
    if alone and shared[0] is CheckStatus.FAIL and layer_run(view, OPEN).ended is Ended.OK:
        words = "right alone and wrong beside another of its class: the two share what they keep."
        yield Slip("hidden-state", "", (), "layers.composed", words, Confidence.LIKELY)


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
        yield Slip("relu-mask-from-activation", "relu", ("dx0",), "layers.relu", words)


def _changing(view: View, kind: str) -> Iterator[Slip]:
    """What a second call of a layer gives that is right at first."""
    name = ALONE[kind][0]
    answers, run = view.exam.stacks[name], layer_run(view, name)
    first, second = answers.values, answers.second
    changed = [n for n, a in answers.stack.inputs.items() if is_changed(run, n, a)]
    if changed:
        words = f"{', '.join(c.rstrip('0') for c in changed)}: changed in place by the call."
        yield Slip("mutates-input", kind, (), STATE, words)
    kept = [n for n in first if n[0] == "d"]
    again = [n for n in kept if _differs(run, f"again.{n}", first[n])]
    added = [n for n in again if not _differs(run, f"again.{n}", 2.0 * first[n])]
    summed = [n for n in ("dW0", "db0") if n in first
              and not _differs(run, f"second.{n}", first[n] + second[n])
              and f"second.{n}" in run.arrays]  # fmt: skip
    if added or summed:
        yield Slip("grad-accumulates", kind, tuple(dict.fromkeys([*added, *summed])), STATE)
    if spoilt := [n for n in again if n not in added]:
        yield Slip("mutates-cache", kind, tuple(spoilt), STATE)
    other = [n for n in second if n not in summed and _differs(run, f"second.{n}", second[n])]
    if (other or "second" in run.failures) and not (added or spoilt or changed):
        words = "after a second forward it still works with what it kept from the first."
        yield Slip("hidden-state", kind, tuple(other), STATE, words, Confidence.LIKELY)


def _differs(run: Observation, name: str, want: Array) -> bool:
    """Whether an array came, and is another."""
    got = run.arrays.get(name)
    return got is not None and not (got.shape == want.shape and error_of(got, want) <= CLOSE)
