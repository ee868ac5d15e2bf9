"""From an explanation in numbers to defects with words, tensors and lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from grader.checks.view import View, number
from grader.defects import BY_CODE, KINDS
from grader.defects.clues import Clues
from grader.defects.explanation import (
    BACKWARD,
    CLOSE,
    HUGE,
    ORDINARY,
    Account,
    Culprit,
    Explanation,
    Outputs,
)
from grader.defects.make import make
from grader.defects.sites.network import interchanged
from grader.defects.witness import Witness
from grader.diagnosis.match import explain
from grader.diagnosis.passes import gradients_of
from grader.diagnosis.predictions import Predictions
from grader.diagnosis.witnesses import scaled_loss, witnesses
from grader.problem.compare import proportion
from grader.problem.network import FORWARD_STEPS, LEAVES, Fault, Shows
from grader.records import TENSORS, Array, Confidence, Defect, Ended, Part

UNEXPLAINED_LOSS, UNEXPLAINED_GRADIENT = (
    next(kind.code for kind in KINDS if kind.unexplained and kind.part is part)
    for part in (Part.FORWARD, Part.BACKWARD)
)
EVERY = (*BACKWARD, *HUGE)
SINGLE = 1e-4
"""Closeness for a PyTorch part that computes in float32."""


def explain_numpy(view: View, predictions: Predictions) -> Account | None:
    """Return the NumPy part's explanation; None when it gave nothing at all."""
    losses = _losses(view, "forward", _known(view, "forward", (*ORDINARY, *HUGE)))
    every = _known(view, "backward", EVERY)
    gradients = _gradients(view, "backward", ("primes",) if _adds_up(view) else every)
    if all(loss is None for loss in losses.values()) or _unsteady(view):
        return None  # a forward that gives another loss each time is no case for a table
    explanation = explain(predictions, losses, gradients)
    if explanation.unexplained and _changes(view):
        first = explain(predictions, losses, _gradients(view, "backward", ("primes",)))
        if len(first.unexplained) < len(explanation.unexplained):
            explanation = first  # what was called before may have left its traces in the others
    if not _came(gradients, "primes"):
        explanation = _forward_only(explanation)
    if losses["primes"] is None and "loss" in explanation.unexplained:
        return None  # it raised on ordinary input, and the error says more
    return Account("backward", explanation, _missing(gradients))


def explain_torch(view: View, predictions: Predictions) -> Account | None:
    """Return the same for the PyTorch part, whose cases are fewer."""
    losses = {
        case: value
        for case, value in _losses(view, "torch", (*ORDINARY, "overflow")).items()
        if f"torch/{case}" in view.observations.runs
    }
    gradients = _gradients(view, "torch")
    if not any(v is not None for v in losses.values()):
        return None
    came = [g for per_case in gradients.values() for g in per_case.values() if g is not None]
    single = any(g.dtype == np.float32 for g in came)
    explanation = Explanation()
    if not single:
        explanation, gradients = _past_cuts(predictions, losses, gradients, CLOSE)
    if single or explanation.unexplained:  # huge logits are too coarse in float32 to tell by
        ordinary = {case: loss for case, loss in losses.items() if case in ORDINARY}
        coarse, gradients = _past_cuts(predictions, ordinary, gradients, SINGLE)
        rough = [c for c in coarse.forward if c.fault.shows is Shows.PERHAPS]
        explanation = Explanation() if rough else coarse
    if not _came(gradients, "primes"):
        explanation = _forward_only(explanation)
    return Account("torch", explanation, _missing(gradients))


def _unsteady(view: View) -> bool:
    first, again = (view.observations[f"forward/primes{s}"] for s in ("", "/again"))
    if not (first.ok and again.ok):
        return False
    return not np.array_equal(first.arrays["loss"], again.arrays["loss"], equal_nan=True)


def _adds_up(view: View) -> bool:
    """Whether a second call gives the sum of both: then only the very first ones count."""
    pairs = list(_twice_called(view))
    return bool(pairs) and all(a.shape == b.shape and np.allclose(2 * a, b) for a, b in pairs)


def _changes(view: View) -> bool:
    """Whether a second call gives other gradients."""
    return any(not np.array_equal(a, b, equal_nan=True) for a, b in _twice_called(view))


def _twice_called(view: View) -> Iterator[tuple[Array, Array]]:
    """The first and the second gradients of one cache, by tensor."""
    first, again = (view.observations[f"backward/primes{s}"].arrays for s in ("", "/again"))
    return ((first[t], again[t]) for t in LEAVES if t in first and t in again)


def _came(gradients: Mapping[str, Outputs], case: str) -> bool:
    return any(per_case.get(case) is not None for per_case in gradients.values())


def _forward_only(explanation: Explanation) -> Explanation:
    """Where backward gave nothing on ordinary input, how it ended says what is wrong with it."""
    left = tuple(t for t in explanation.unexplained if t == "loss")
    return Explanation(explanation.forward, (), left)


def _known(view: View, prefix: str, cases: Sequence[str]) -> Sequence[str]:
    """The cases without those that a flood of output kept from being seen."""
    if not view.flooded("forward", "backward"):
        return cases
    unseen = (Ended.OUTPUT_LIMIT, Ended.NOT_RUN)
    steps = {case: view.observations[f"{prefix}/{case}"] for case in cases}
    return [c for c, step in steps.items() if c == "primes" or step.ended not in unseen]


def _losses(view: View, prefix: str, cases: Sequence[str]) -> Outputs:
    steps = {case: view.observations[f"{prefix}/{case}"] for case in cases}
    return {case: step.arrays.get("loss") if step.ok else None for case, step in steps.items()}


def _gradients(view: View, prefix: str, cases: Sequence[str] = BACKWARD) -> dict[str, Outputs]:
    return {
        tensor: {c: view.observations[f"{prefix}/{c}"].arrays.get(tensor) for c in cases}
        for tensor in LEAVES
    }


def _past_cuts(
    predictions: Predictions, losses: Outputs, gradients: dict[str, Outputs], close: float
) -> tuple[Explanation, dict[str, Outputs]]:
    """The explanation, and the gradients without those of tensors that are cut off."""
    explanation = explain(predictions, losses, gradients, close)
    if cut := _cut_off(gradients, explanation.unexplained):
        gradients = gradients | {t: dict.fromkeys(gradients[t]) for t in cut}
        explanation = explain(predictions, losses, gradients, close)
    return explanation, gradients


def _cut_off(gradients: Mapping[str, Outputs], left: Sequence[str]) -> list[str]:
    """Tensors whose gradient is zero on every case and is not explained: nothing reached them."""
    return [
        t
        for t in left
        if t in gradients and not any(g is not None and g.any() for g in gradients[t].values())
    ]


def _missing(gradients: Mapping[str, Outputs]) -> tuple[str, ...]:
    """Tensors whose gradient never came although others did."""
    came = {t for t, per_case in gradients.items() if any(g is not None for g in per_case.values())}
    return tuple(t for t in TENSORS if t not in came) if came else ()


def defects_of(
    account: Account, clues: Clues, predictions: Predictions, following: Sequence[str] = ()
) -> list[tuple[Defect, list[Witness]]]:
    """Return the part's defects, each with the wrong values by which its line can be found.

    `following` are tensors whose gradient is that of the part's own loss, right or wrong.
    """
    explanation = account.explanation
    flow = predictions.flow(tuple(c.fault for c in explanation.forward), "primes")
    gradients: Mapping[str, Array] = {}
    if flow is not None:
        flow = dict(flow)
        gradients = gradients_of(flow, explanation.backward, explanation.free)
    groups: dict[str, list[Culprit]] = {}
    for culprit in account.culprits:
        groups.setdefault(code_of(culprit.fault, account), []).append(culprit)
    defects = []
    for code, everyone in groups.items():
        sure = [c for c in everyone if explanation.proves(c)]
        members = [_of_explained(c, explanation) for c in sure or everyone]
        found_by = [w for m in members for w in witnesses(m, flow, gradients)]
        if account.torch and flow is not None:
            found_by = [*(w for m in members for w in scaled_loss(m, flow)), *found_by]
        confidence = Confidence.PROVEN if sure else Confidence.LIKELY
        part = _part(account, members[0].fault.step)
        text = _words(code, members, account, clues.view)
        defects.append((make(code, text, _reach(members), confidence, part), found_by))
    return defects + _unexplained(account, clues, following)


def _part(account: Account, step: str) -> Part:
    if account.torch:
        return Part.PYTORCH
    return Part.FORWARD if step in FORWARD_STEPS else Part.BACKWARD


def _of_explained(culprit: Culprit, explanation: Explanation) -> Culprit:
    """A fault without the tensors that are wrong in another way besides."""
    tensors = tuple(t for t in culprit.tensors if t not in explanation.unexplained)
    return replace(culprit, tensors=tensors) if tensors else culprit


def code_of(fault: Fault, account: Account) -> str:
    """Return the code that a fault goes by in its part."""
    return (account.torch and BY_CODE[fault.code].in_pytorch) or fault.code


def _reach(members: Sequence[Culprit]) -> tuple[str, ...]:
    """The tensors in whose gradients a defect shows, in the contract's order."""
    named = {t for m in members for t in m.tensors}
    return tuple(t for t in TENSORS if t in named)


def _words(code: str, members: Sequence[Culprit], account: Account, view: View) -> str:
    """What was found, in words and numbers, for the candidate to read."""
    what = BY_CODE[code].what.rstrip(".")
    variants = " and ".join(dict.fromkeys(m.fault.variant for m in members))
    amount = f", coefficient {number(members[0].amount)}" if members[0].amount else ""
    side = "PyTorch part: " if account.torch else ""
    return f"{side}{what} ({variants}{amount}){_numbers(members, account, view)}."


def _numbers(members: Sequence[Culprit], account: Account, view: View) -> str:
    """What came against what was expected, on the case `primes`."""
    expected = view.expected("primes")
    size = expected.case.sizes["B"]
    tensors = [t for m in members for t in m.tensors]
    step = f"{account.prefix}/primes" if tensors or account.prefix == "torch" else "forward/primes"
    name = tensors[0] if tensors else "loss"
    got = view.observations[step].arrays.get(name)
    want = expected[f"d{name}" if tensors else "loss"]
    label = ", ".join(f"d{t}" for t in TENSORS if t in tensors) or "the loss"
    if got is None:
        return ""
    if got.shape != want.shape:
        return f": {label} of shape {list(got.shape)}, expected {list(want.shape)}"
    verb = "are" if ", " in label else "is"
    ratio = proportion(got, want)
    if ratio is not None and number(ratio) != "1":
        return f": {label} {verb} {number(ratio)} × what is expected at B={size}"
    if not tensors and abs(float(got) - float(want)) > 1e-9:
        return f": the loss is off by {number(float(got) - float(want))}"
    return f": {label} {verb} wrong" if tensors else ""


def _unexplained(
    account: Account, clues: Clues, following: Sequence[str]
) -> list[tuple[Defect, list[Witness]]]:
    """What no row predicts, said as such, with what can be said of its numbers.

    The gradients of a wrong loss itself are no second bug.
    """
    left = account.explanation.unexplained
    side = "PyTorch part: " if account.torch else ""
    defects: list[tuple[Defect, list[Witness]]] = []
    if "loss" in left:
        after = tuple(t for t in TENSORS if t in left and t in following)
        text = f"{side}The loss is wrong in a way that no known mistake predicts."
        text += " The gradients are those of this loss." if after else ""
        part = _part(account, "loss")
        defects.append((make(UNEXPLAINED_LOSS, text, after, Confidence.LIKELY, part), []))
        left = tuple(t for t in left if t not in after)
    tensors = tuple(t for t in TENSORS if t in left)
    if tensors:
        names = ", ".join(f"d{t}" for t in tensors)
        mixed = interchanged(clues, tensors, torch=account.torch)
        said = [f"what comes back as d{name} is d{tensor}" for name, tensor in mixed]
        more = f": {', and '.join(said)}" if said else _ratios(tensors, account, clues.view)
        text = f"{side}{names}: wrong in a way that no known mistake predicts{more}."
        part = _part(account, "dZ2")
        defects.append((make(UNEXPLAINED_GRADIENT, text, tensors, Confidence.LIKELY, part), []))
    return defects


def _ratios(tensors: Sequence[str], account: Account, view: View) -> str:
    """The one factor by which all of them are off, at two sizes of the batch, if there is one."""
    words = []
    for case in ("primes", "more_rows"):
        expected, came = view.expected(case), view.observations[f"{account.prefix}/{case}"].arrays
        ratios = [proportion(came[t], expected[f"d{t}"]) for t in tensors if t in came]
        first = ratios[0] if ratios else None
        if first is None or any(r is None or abs(r - first) > 1e-6 * abs(first) for r in ratios):
            return ""
        words.append((number(first), f"at B={expected.case.sizes['B']}"))
    (one, small), (two, large) = words
    if one == two:
        return f", {one} × what is expected, {small} and {large}"
    return f", {one} × what is expected {small} and {two} × {large}"
