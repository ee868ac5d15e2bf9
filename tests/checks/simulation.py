"""The observations of a right answer, computed here without any process, and ways to spoil them.

    fails(gradients.VALUE_CHECKS[0], put("backward/", "W1", lambda dW1: 2 * dW1))

`simulated()` is the view of a right answer; each edit given changes what steps gave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from grader.checks import Check, View
from grader.child.engine import SCALE
from grader.child.reports import (
    CheckForm,
    CorruptionKind,
    DifferenceForm,
    Refusal,
    TrialOutcome,
)
from grader.observe.difference_check import DifferenceCheck
from grader.observe.plan import Step, layer_steps, numpy_steps, torch_steps
from grader.observe.trace import Trace
from grader.observe.trials import Trial
from grader.observe.verification_record import Verification
from grader.problem import Exam, Expected, Stack, StackAnswers, set_paper
from grader.problem.compare import STEP
from grader.records import (
    TENSORS,
    Array,
    Case,
    CheckStatus,
    Ended,
    Finding,
    FunctionOutline,
    LayerNames,
    Observation,
    Observations,
    ProcessReport,
)
from tests.problem import network

PAPER = set_paper(7)
OK = Observation(Ended.OK)
CACHED = ("X", "y", "W1", "W2", "Z1", "H1", "P")
SECONDS = 0.001

SOURCE = """\
def forward(X, y, W1, b1, W2, b2):
    Z1 = X @ W1 + b1  # [B, H]
    H1 = np.maximum(Z1, 0)  # [B, H]
    Z2 = H1 @ W2 + b2  # [B, C]
    loss = cross_entropy(Z2, y)  # scalar


def backward(cache):
    dZ2 = (P - Y) / B  # [B, C]
    dZ1 = (dZ2 @ W2.T) * (Z1 > 0)  # [B, H]
    dW1 = X.T @ dZ1  # [D, H]
    db1 = dZ1.sum(axis=0)  # [H]
"""

Edit = Callable[[dict[str, Observation]], None]


# ── spoiling ─────────────────────────────────────────────────────────────────


def put(steps: str, name: str, change: Callable[..., Any]) -> Edit:
    """Return an edit of an array in all steps that begin so; its case's sizes go with it if asked.

    `change` gives the new array, or None for none.
    """

    def edit(runs: dict[str, Observation]) -> None:
        for step, run in runs.items():
            if step.startswith(steps) and name in run.arrays:
                new = change(run.arrays[name])
                arrays = {n: a for n, a in run.arrays.items() if n != name}
                arrays |= {} if new is None else {name: np.asarray(new)}
                runs[step] = replace(run, arrays=arrays)

    return edit


def ends(steps: str, how: Ended, error: str = "ValueError: shapes") -> Edit:
    """Return an edit after which all steps that begin so end otherwise, with nothing."""

    def edit(runs: dict[str, Observation]) -> None:
        for step in runs:
            if step.startswith(steps):
                runs[step] = Observation(how, error=error)

    return edit


def told(step: str, **facts: Any) -> Edit:
    """Return an edit of what else a step reported."""

    def edit(runs: dict[str, Observation]) -> None:
        runs[step] = replace(runs[step], **facts)

    return edit


def by_batch(steps: str, name: str, change: Callable[[Array, float], Array]) -> Edit:
    """Return an edit of an array that depends on the batch's size."""

    def edit(runs: dict[str, Observation]) -> None:
        for step, run in runs.items():
            case = PAPER.cases.get(step.split("/")[1]) if step.startswith(steps) else None
            if case is not None and name in run.arrays:
                new = change(run.arrays[name], float(case.sizes["B"]))
                runs[step] = replace(run, arrays={**run.arrays, name: np.asarray(new)})

    return edit


# ── asserting ────────────────────────────────────────────────────────────────


def finding(check: Check, *edits: Edit, **records: Any) -> Finding:
    """Return what a check makes of a right answer with these edits."""
    return check.finding(check.run(simulated(*edits, **records)))


def passes(check: Check, *edits: Edit, **records: Any) -> None:
    """Assert that a check passes."""
    made = finding(check, *edits, **records)
    assert made.status is CheckStatus.PASS, made
    assert all(line.good for line in made.evidence)


def fails(check: Check, *edits: Edit, says: str = "", **records: Any) -> Finding:
    """Assert that a check passes on the right answer, and fails after the edits."""
    passes(check)
    made = finding(check, *edits, **records)
    assert made.status is CheckStatus.FAIL, made
    assert says in made.message
    return made


def waits(check: Check, *edits: Edit, **records: Any) -> None:
    """Assert that a check has nothing to say, and names others that come first."""
    made = finding(check, *edits, **records)
    assert made.status is CheckStatus.SKIPPED, made
    assert made.waited_for


def left_open(check: Check, *edits: Edit, **records: Any) -> None:
    """Assert that a check is left to a person."""
    assert finding(check, *edits, **records).status is CheckStatus.MANUAL


# ── the right answer ─────────────────────────────────────────────────────────


def simulated(
    *edits: Edit,
    trace: Trace | None = None,
    verification: Verification | None = None,
    differences: DifferenceCheck | None = None,
    loaded: Observation = OK,
    functions: tuple[FunctionOutline, ...] = (),
) -> View:
    """Return the view of a right answer, with these edits and in place of these records."""
    runs = dict(right_runs())
    for edit in edits:
        edit(runs)
    report = ProcessReport(loaded, functions)
    return View(
        exam(),
        Observations(report, report, runs),
        trace or Trace(sources={"solution.py": tuple(SOURCE.split("\n"))}),
        verification or strict(),
        differences or central(),
    )


@cache
def exam() -> Exam:
    """Return the paper with its answers, by hand."""
    expected = {n: Expected(c, network.answers(**c.inputs)) for n, c in PAPER.cases.items()}
    stacks = {
        name: StackAnswers(stack, stacked(stack), stacked(stack.second) if stack.second else {})
        for name, stack in PAPER.stacks.items()
    }
    return Exam(PAPER, expected, (SECONDS, SECONDS), stacks)


@cache
def right_runs() -> dict[str, Observation]:
    """Return what each step of the plan gives."""
    runs = {step.name: _run(step.kind, step.case, step.flags) for step in numpy_steps(PAPER)}
    runs |= {step.name: _run(step.kind, step.case, step.flags) for step in torch_steps(PAPER)}
    runs |= {step.name: _altered(step) for step in torch_steps(PAPER) if step.engine}
    return runs | {step.name: _layer_run(step.stack) for step in layer_steps(PAPER)}


def _run(kind: str, case: Case, flags: tuple[str, ...]) -> Observation:
    if kind == "verify":
        return Observation(Ended.OK, {"accepted": np.bool_(True)})
    values = network.answers(**case.inputs)
    loss = {"loss": np.asarray(values["loss"])}
    gradients = {t: values[f"d{t}"] for t in TENSORS}
    after = {f"after_{n}": a for n, a in case.inputs.items()}
    cached = {f"cache{i}": (case.inputs | values)[n] for i, n in enumerate(CACHED)}
    arrays = {
        "forward": {**loss, **after, **cached},
        "backward": gradients,
        "torch": {**loss, **after, **gradients},
    }[kind]
    paths = tuple(f"cache[{i}]" for i in range(len(CACHED)))
    return Observation(Ended.OK, arrays, paths=paths, cpu_seconds=SECONDS)


def _altered(step: Step) -> Observation:
    """Return what autograd gives where its engine is altered: other gradients in each entry."""
    rng, factor = np.random.default_rng(1), float(step.items.get(SCALE, 1.0))
    gradients = {t: factor * network.answers(**step.case.inputs)[f"d{t}"] for t in TENSORS}
    if SCALE not in step.items:
        gradients = {t: g * rng.uniform(0.5, 2.0, g.shape) for t, g in gradients.items()}
    return Observation(Ended.OK, {"loss": np.asarray(1.0), **gradients}, cpu_seconds=SECONDS)


def _layer_run(stack: Stack) -> Observation:
    values = stacked(stack)
    arrays = values | {f"again.{n}": a for n, a in values.items() if n[0] == "d"}
    arrays |= {f"{n}_after": a for n, a in stack.inputs.items()}
    if stack.second:
        arrays |= {f"second.{n}": a for n, a in stacked(stack.second).items()}
    dtype = stack.inputs["x"].dtype
    floats = {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in arrays.items()}
    return Observation(
        Ended.OK, floats, layers=(LayerNames("linear", "Linear", "forward", "backward"),)
    )


def stacked(stack: Stack) -> dict[str, Array]:
    """Return outputs and gradients of layers one after another, as `oracle.stacked` names them."""
    given = stack.inputs
    value, entered, values = given["x"].astype(np.float64), [], {}
    for place, kind in enumerate(stack.kinds):
        entered.append(value)
        if kind == "linear":
            value = value @ given[f"W{place}"].astype(np.float64) + given[f"b{place}"]
        elif kind == "relu":
            value = np.maximum(value, 0.0)
    values["out"] = value
    upstream = given.get("upstream")
    if "y" in given:
        rows, y = np.arange(len(value)), given["y"]
        shifted = value - value.max(axis=1, keepdims=True)
        logP = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        values["loss"] = np.asarray(-logP[rows, y].mean())
        upstream = (np.exp(logP) - np.eye(value.shape[1])[y]) / len(y)
    for place, kind in reversed(list(enumerate(stack.kinds))):
        if kind == "linear":
            values[f"dW{place}"] = entered[place].T @ upstream
            values[f"db{place}"] = upstream.sum(axis=0)
            upstream = upstream @ given[f"W{place}"].T.astype(np.float64)
        elif kind == "relu":
            upstream = upstream * (entered[place] > 0)
        values[f"dx{place}"] = upstream
    return values


# ── what the candidate's own checks make of wrong gradients ──────────────────


def strict(**missed: tuple[CorruptionKind, ...]) -> Verification:
    """Return a `verify` that refuses all but the kinds that are named for a tensor."""
    trials = [
        Trial("primes", kind, amount, tensor, TrialOutcome.ACCEPTED)
        if kind in missed.get(tensor, ())
        else Trial("primes", kind, amount, tensor, TrialOutcome.REFUSED, Refusal.RETURN)
        for tensor in TENSORS
        for kind, amount in ((CorruptionKind.SCALE, 1.01), (CorruptionKind.ENTRY, 0.37))
    ]  # fmt: skip
    return Verification(CheckForm.FUNCTION, True, True, trials=tuple(trials), reason="")


def central(
    step: float = STEP, sides: tuple[int, ...] = (1, -1), **missed: tuple[CorruptionKind, ...]
) -> DifferenceCheck:
    """Return a finite-difference check that steps each entry, and puts it back."""
    case = PAPER.cases["small"]
    points, after = {}, {}
    for tensor in TENSORS:
        base = getattr(case, tensor)
        steps = step * np.eye(base.size).reshape(base.size, *base.shape)
        points[tensor] = np.concatenate([base + side * steps for side in sides])
        after[tensor] = base
    return DifferenceCheck(DifferenceForm.CHECK, "gradient_check", case=case, points=points, after=after,
                           trials=strict(**missed))  # fmt: skip
