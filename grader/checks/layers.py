"""Checks of the reusable layers, each alone, then in networks: where they are handed in.

They are an extra that nobody has to give. So a check without anything to look at is left
to a human, who hears the answer to the follow-up question in any case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from grader.checks.check import Conclusion, check, judge, left_open, line, listed, waits
from grader.checks.view import View, absent, mismatch_of, misshapen, number, trouble
from grader.problem import StackAnswers
from grader.problem.compare import error, proportion
from grader.problem.stacks import DEEPEST
from grader.records import Array, CheckStatus, Ended, Evidence, Observation

ALONE: Mapping[str, tuple[str, ...]] = {
    "linear": ("linear", "linear_square"),
    "relu": ("relu",),
    "loss": ("loss", "loss_square", "loss_huge"),
}
"""The stacks of one layer, by its kind."""

DEPTHS = tuple(f"depth{n}" for n in range(1, DEEPEST + 1))
OPEN = "open"
"""A network without a loss: where no loss layer was handed in, and for a second batch."""

SINGLE = "single"
"""The one network in float32: what becomes of it is shown, and costs nothing."""

OPTIONAL = "Open: no reusable layers were handed in. They are a bonus, and cost nothing."

QUESTION = "Follow-ups: the layers generically."


@check(
    "layers.linear",
    "The linear layer alone, against autograd",
    hint="backward(upstream): dW = x.T @ upstream, db = upstream.sum(axis=0), and "
    "upstream @ W.T goes back; a layer knows nothing of the mean in the loss.",
    serves=QUESTION,
)
def linear(view: View) -> Conclusion:
    """Output, dW [in, out], db [out] and dx [B, in] are autograd's for any upstream gradient."""
    return _alone(view, "linear", "The linear layer's output and gradients are autograd's.")


@check(
    "layers.relu",
    "The ReLU layer alone, against autograd",
    hint="Keep x > 0 in forward, and multiply the upstream gradient by it.",
    serves="Follow-ups: the layers generically. Part 2: ReLU gated by the cached pre-activation.",
)
def relu(view: View) -> Conclusion:
    """Output and dx are autograd's, whatever the signs of the upstream gradient."""
    return _alone(view, "relu", "The ReLU layer's output and gradient are autograd's.")


@check(
    "layers.loss",
    "The loss layer alone, against autograd",
    hint="Subtract each row's maximum; backward gives (P - onehot) / B, the one place of 1/B.",
    serves="Follow-ups: the layers generically. Part 2: 1/B flows from dZ2.",
)
def loss(view: View) -> Conclusion:
    """The loss is one number, and with its gradient autograd's, on logits of ±1e4 too."""
    return _alone(view, "loss", "The loss and its gradient are autograd's; 1/B enters here.")


@check(
    "layers.composed",
    "Networks of 1 to 6 layers, against autograd",
    hint="Forwards in order, backwards in reverse, each handing its result on; no layer shares "
    "anything with another one of its class.",
    serves=QUESTION,
)
def composed(view: View) -> Conclusion:
    """Put together with random widths, every layer's gradients are autograd's.

    How a network of them keeps to float32 is shown and not judged.
    """
    if (absent := _absent(view, "linear")) is not None:
        return absent
    if wrong := _wrong_alone(view):
        return waits(f"Not assessed: waits for {', '.join(wrong)}.", *wrong)
    stacks = DEPTHS if handed_in(view, "loss") else (OPEN,)
    if not handed_in(view, "relu"):
        stacks = DEPTHS[:1] if handed_in(view, "loss") else ()
    lines = [each for name in stacks for each in _networks(view, name)]
    if not lines:
        return left_open("There is a linear layer only, so there is nothing to put together.")
    if handed_in(view, "loss") and handed_in(view, "relu"):
        lines.append(_in_float32(view))
    return judge(lines, "Networks of the layers give autograd's gradients in every layer.")


@check(
    "layers.state",
    "The layers keep nothing from one call to the next",
    hint="Let backward assign its gradients, and forward replace all that it keeps; leave the "
    "arguments as they are.",
    serves=QUESTION,
)
def state(view: View) -> Conclusion:
    """A second backward and a second batch, of another size, give what fresh layers would.

    Gradients may add up in a layer that has a method to clear them: it is called first.
    Arguments are not changed.
    """
    if (absent := _absent(view, "linear")) is not None:
        return absent
    kinds = [k for k in ALONE if handed_in(view, k) and not _evidence_against(view, k)]
    if not kinds:
        return waits("Not assessed: no layer is right at the first call.", *_wrong_alone(view))
    lines = [each for kind in kinds for each in _again(view, ALONE[kind][0], f"{kind} layer")]
    if {"linear", "relu"} <= set(kinds):
        lines += _again(view, OPEN, "three linear layers")
    return judge(lines, "A second call gives what a fresh layer would.")


LAYERS = (linear, relu, loss, composed, state)


# ── what is there ────────────────────────────────────────────────────────────


def layer_run(view: View, stack: str) -> Observation:
    """Return what one stack gave."""
    return view.step(f"layers/{stack}")


def handed_in(view: View, kind: str) -> bool:
    """Return whether there is a layer of this kind that could be made."""
    nothing = (Ended.MISSING, Ended.NOT_RUN)
    return layer_run(view, ALONE[kind][0]).ended not in nothing


def _absent(view: View, kind: str) -> Conclusion | None:
    """What is said where there is no such layer."""
    if handed_in(view, kind):
        return None
    first = layer_run(view, "linear")
    if not first.layers:
        return left_open(OPTIONAL)
    reason = layer_run(view, ALONE[kind][0]).error
    return left_open(f"This layer was not tried: {reason or 'it was not handed in'}.")


def _wrong_alone(view: View) -> list[str]:
    """The checks of single layers that fail."""
    kinds = [k for k in ALONE if handed_in(view, k) and _evidence_against(view, k)]
    return [f"layers.{kind}" for kind in kinds]


def _evidence_against(view: View, kind: str) -> bool:
    lines = view.once(f"layers/{kind}", lambda: list(_of_kind(view, kind)))
    return not all(line.good for line in lines)


# ── comparing ────────────────────────────────────────────────────────────────


def _alone(view: View, kind: str, good: str) -> Conclusion:
    if (absent := _absent(view, kind)) is not None:
        return absent
    return judge(view.once(f"layers/{kind}", lambda: list(_of_kind(view, kind))), good)


def _of_kind(view: View, kind: str) -> Iterator[Evidence]:
    for stack in ALONE[kind]:
        answers, run = view.exam.stacks[stack], layer_run(view, stack)
        for name, want in answers.values.items():
            if name != "out" or kind != "loss":  # the logits go into the loss as they are
                yield compared(answers, run, name, want)


def compared(answers: StackAnswers, run: Observation, name: str, want: Array) -> Evidence:
    """Return how one array of a stack compares with autograd's: its shape, then its numbers."""
    label, sizes = label_of(name), _sizes(answers)
    purpose = answers.stack.purpose
    got = run.arrays.get(name)
    if not run.ok or got is None:
        line = absent(run, name, "autograd's numbers", purpose)
        return replace(line, what=label)
    if got.shape != want.shape:
        return misshapen(label, got, want, sizes, purpose)
    off, ratio = error_of(got, want), proportion(got, want)
    if off <= answers.limit():
        return Evidence(label, "autograd's", "the same", purpose, verdict=CheckStatus.PASS)
    words = f"off by {off:.2g} of its size" if np.isfinite(off) else "not finite"
    factor = "" if ratio is None else number(ratio)
    return Evidence(label, "autograd's", words, purpose, factor, mismatch=mismatch_of(off))


def error_of(got: Array, want: Array) -> float:
    """Return the relative error of an array, or of a row; 1/rows is its least size."""
    return error(got, want, 1.0 / max(1, want.shape[0] if want.ndim else 1))


def label_of(name: str) -> str:
    """Return `dW` of `dW2`: the place of a single layer says nothing."""
    word = name.rpartition(".")[2].rstrip("0123456789")
    return {"out": "the output", "loss": "the loss"}.get(word, word)


def _numbered(name: str) -> str:
    """`dW2` of the second linear layer, which stands at place 2; `dx1` of the first layer."""
    word, place = label_of(name), name.lstrip("abcdefghijklmnopqrstuvwxyzW")
    if not place:
        return word
    return f"{word}{int(place) + 1 if word == 'dx' else int(place) // 2 + 1}"


def _sizes(answers: StackAnswers) -> dict[str, int]:
    x = answers.stack.inputs["x"]
    width = answers.values["out"].shape[-1]
    return {"B": x.shape[0], "in": x.shape[1], "out": width}


def _agree(answers: StackAnswers, run: Observation, prefix: str, want: Mapping[str, Array]) -> str:
    """ "" where all arrays agree, else the first that do not."""
    wrong, limit = [], answers.limit()
    for name, value in want.items():
        got = run.arrays.get(f"{prefix}{name}")
        if got is None or got.shape != value.shape or not error_of(got, value) <= limit:
            wrong.append(_numbered(name))
    return listed(wrong)


def _networks(view: View, name: str) -> Iterator[Evidence]:
    """One network, put together by the judge; and by the candidate's container, if it is one."""
    answers, run = view.exam.stacks[name], layer_run(view, name)
    purpose = answers.stack.purpose
    what = "loss, dW, db, dx" if answers.stack.kinds[-1] == "loss" else "output, dW, db, dx"
    if not run.ok:
        yield replace(absent(run, name, "autograd's", purpose), what=what)
        return
    want = {n: a for n, a in answers.values.items() if n != "out" or "loss" not in answers.values}
    yield _in_every_layer(what, _agree(answers, run, "", want), purpose)
    within = {n: a for n, a in want.items() if n[:2] in ("dW", "db") or n == "dx0"}
    if not _agree(answers, run, "container.", {"out": answers.values["out"]}):
        wrong = _agree(answers, run, "container.", within)
        yield _in_every_layer("dW, db, dx", wrong, f"{purpose}, in the container")


def _in_every_layer(what: str, wrong: str, case: str) -> Evidence:
    words, status = f"wrong: {wrong}" if wrong else "the same", CheckStatus.of(not wrong)
    return Evidence(what, "autograd's in every layer", words, case, verdict=status)


def _in_float32(view: View) -> Evidence:
    """The dtype that arrives, and how far the numbers are off."""
    answers, run = view.exam.stacks[SINGLE], layer_run(view, SINGLE)
    want = {n: a for n, a in answers.values.items() if n != "out"}
    got = {n: a for n in want if (a := run.arrays.get(n)) is not None and a.shape == want[n].shape}
    if not run.ok or got.keys() != want.keys():
        words = trouble(run, SINGLE) if not run.ok else "not all arrays arrive"
    else:
        wider = sorted({label_of(n) for n, a in got.items() if a.dtype != np.float32})
        dtypes = f"another dtype in {', '.join(wider)}" if wider else "float32 throughout"
        off = max(error_of(got[n], want[n]) for n in want)
        words = f"{dtypes}, off by {off:.1g} of its size; rounding may be {answers.limit():.1g}"
    what = "three linear layers (shown, not judged)"
    return Evidence(what, "", words, answers.stack.purpose, verdict=CheckStatus.PASS)


def _again(view: View, name: str, what: str) -> Iterator[Evidence]:
    """A second backward, a second batch, and the arguments after the first."""
    answers, run = view.exam.stacks[name], layer_run(view, name)
    if not run.ok:
        yield replace(absent(run, name, "an answer"), what=f"the {what}")
        return
    gradients = {n: a for n, a in answers.values.items() if n[0] == "d"}
    if any(f"again.{n}" in run.arrays for n in gradients):
        wrong = _agree(answers, run, "again.", gradients)
        yield _state_line(f"a second backward of the {what}", wrong)
    second = {n: a for n, a in answers.second.items() if n != "out" or "loss" not in answers.second}
    wrong = run.failures.get("second", "") or _agree(answers, run, "second.", second)
    yield _state_line(f"a second batch through the {what}", wrong)
    changed = [n for n, a in answers.stack.inputs.items() if is_changed(run, n, a)]
    words = f"changed: {', '.join(changed)}"
    yield line(f"the arguments of the {what}", not changed, "unchanged", words)


def is_changed(run: Observation, name: str, before: Array) -> bool:
    """Return whether a call changed an argument; the upstream gradient is the layer's own."""
    if name == "upstream":
        return False
    after = run.arrays.get(f"{name}_after")
    return after is not None and not np.array_equal(after, before, equal_nan=True)


def _state_line(what: str, wrong: str) -> Evidence:
    return line(what, not wrong, "as of a fresh layer", f"wrong: {wrong}")
