"""The reference with a fault in it that is no wrong formula: what would be seen of it.

Each takes what was really seen, what would be seen of the reference (or of the reference with
other faults), and the tensors of the defect, and returns the latter with the fault in it. The
checks run on that as on the real thing, and what they lose there is explained by the fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from grader.checks.view import View
from grader.child.reports import CorruptionKind, TrialOutcome
from grader.observe.plan import Call, call_of, numpy_steps
from grader.observe.trials import Trial
from grader.observe.verification_record import Verification
from grader.problem.network import LEAVES, RIGHT, Formula, batch, forward, log_softmax
from grader.records import TENSORS, Array, Case, Ended, Observation

Simulation = Callable[[View, View, tuple[str, ...]], View]
"""(what was seen, the reference, the tensors) → the reference with the fault in it."""

Alteration = Callable[[str, Observation], Observation]
"""A step's name and what was seen of it → what would be seen with the fault."""


class AlteredRuns(Mapping[str, Observation]):
    """Runs that are altered when they are asked for: most never are."""

    def __init__(self, runs: Mapping[str, Observation], alter: Alteration) -> None:
        self._runs, self._alter = runs, alter

    def __getitem__(self, name: str) -> Observation:
        return self._alter(name, self._runs[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)


def altered(view: View, alter: Alteration) -> View:
    """Return a view on altered runs; nothing that another view remembers is taken over."""
    observations = replace(view.observations, runs=AlteredRuns(view.observations.runs, alter))
    seen = view.trace, view.verification, view.differences, view.work
    return View(view.exam, observations, *seen)


def _with_arrays(run: Observation, arrays: Mapping[str, Array]) -> Observation:
    return replace(run, arrays={**run.arrays, **arrays})


def _moved(run: Observation, names: tuple[str, ...]) -> Observation:
    """Return a run in which some arrays have other numbers."""
    return _with_arrays(run, {n: a + 1 for n, a in run.arrays.items() if n in names})


# ── between calls ────────────────────────────────────────────────────────────


def other_at_repeat(_seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference whose second call of forward gives another loss."""
    again = "forward/primes/again"
    return altered(view, lambda name, run: _moved(run, ("loss",)) if name == again else run)


def arguments_changed(_seen: View, view: View, tensors: tuple[str, ...]) -> View:
    """Return the reference that changes these arguments; the labels where they are no tensor."""
    after = tuple(f"after_{name}" for name in tensors or ("y",))
    return altered(view, lambda name, run: _moved(run, after) if name == "forward/primes" else run)


def cache_ignored(_seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference whose backward differentiates the latest forward."""
    latest = view.observations.runs["backward/second"]
    return altered(view, lambda name, run: latest if name == "backward/first" else run)


def cache_spoilt(_seen: View, view: View, tensors: tuple[str, ...]) -> View:
    """Return the reference whose second backward with the same cache gives others."""
    again = "backward/primes/again"
    return altered(view, lambda name, run: _moved(run, tensors) if name == again else run)


def gradients_added(_seen: View, view: View, tensors: tuple[str, ...]) -> View:
    """Return the reference whose later calls of backward add to what earlier ones gave."""
    later = ("backward/primes/again", "backward/first", "backward/second")
    return altered(view, lambda name, run: _moved(run, tensors) if name in later else run)


def classes_from_labels(seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference that counts C in y, as was seen: the largest label, or how many differ.

    Where fewer than C are counted the parts raise that raised on `absent`. Where only one is
    counted, and it is the first, the one column of ones broadcasts.
    """
    cases = {step.name: step.case for step in numpy_steps(view.exam.paper)}
    raises = [part for part in ("forward", "backward") if _raised(seen, f"{part}/absent")]
    fits = [name for name, case in cases.items() if _largest(case) == case.sizes["C"]]
    distinct = any(
        _distinct(cases[name]) < cases[name].sizes["C"] and _raised(seen, name) for name in fits
    )
    count = _distinct if distinct else _largest

    def alter(name: str, run: Observation) -> Observation:
        case = cases.get(name)
        if case is None or count(case) >= case.sizes["C"]:
            return run
        if count(case) == _largest(case) == 1:
            return _with_arrays(run, _of_ones(case, call_of(name), run))
        if call_of(name) in raises:
            return Observation(Ended.RAISED, error="predicted")
        gone = call_of(name) is Call.BACKWARD and Call.FORWARD in raises
        return Observation(Ended.NOT_RUN, error="its forward gave no cache") if gone else run

    return altered(view, alter)


def _largest(case: Case) -> int:
    return int(np.max(case.y)) + 1


def _distinct(case: Case) -> int:
    return len(np.unique(case.y))


def _of_ones(case: Case, call: Call, run: Observation) -> dict[str, Array]:
    """Return the loss or the gradients with a one at every class."""
    ones: dict[str, Formula] = {
        "loss": lambda f: np.asarray(-log_softmax(f).sum() / batch(f)),
        "dZ2": lambda f: (f["P"] - 1.0) / batch(f),
    }
    flow = forward(case, {})
    for step in ("loss", "dZ2", "dH1", "dZ1", *LEAVES):
        given = case.inputs if step in LEAVES else {}
        value = ones.get(step, RIGHT[step])({**flow, **given})
        flow[f"d{step}" if step in LEAVES else step] = np.asarray(value)
    if call is Call.FORWARD:
        return {"loss": flow["loss"]} if "loss" in run.arrays else {}
    return {t: flow[f"d{t}"] for t in LEAVES if t in run.arrays}


def _raised(seen: View, step: str) -> bool:
    return seen.observations[step].ended in (Ended.RAISED, Ended.BAD_RETURN)


# ── the PyTorch part ─────────────────────────────────────────────────────────


def added_to_leaves(_seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference whose second call adds to the first one's gradients."""
    again = "torch/primes/again"
    return altered(view, lambda name, run: _moved(run, TENSORS) if name == again else run)


def rounded_to_single(_seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference that computes in float32 what is given in float64."""

    def alter(name: str, run: Observation) -> Observation:
        if call_of(name) is not Call.TORCH:
            return run
        named = {n: a for n, a in run.arrays.items() if n in (*TENSORS, "loss")}
        return _with_arrays(run, {n: a.astype(np.float32) for n, a in named.items()})

    return altered(view, alter)


# ── the verification ─────────────────────────────────────────────────────────


def nothing_compared(_seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference without a verification."""
    gone = Observation(Ended.MISSING)
    without = altered(view, lambda name, run: gone if call_of(name) is Call.VERIFY else run)
    return replace(without, verification=Verification(), _memory={})


def agreement_refused(seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference whose verification says no to two sides that agree."""
    no = {"accepted": np.array(False)}

    def alter(name: str, run: Observation) -> Observation:
        refuses = call_of(name) is Call.VERIFY
        return Observation(Ended.OK, no) if refuses else run

    record = replace(seen.verification, accepts=False, equalised=False, trials=())
    return replace(altered(view, alter), verification=record, _memory={})


def everything_accepted(seen: View, view: View, _tensors: tuple[str, ...]) -> View:
    """Return the reference whose verification notices no wrong gradient."""
    return _tried(seen, view, lambda _trial: True)


def tensors_overlooked(seen: View, view: View, tensors: tuple[str, ...]) -> View:
    """Return the reference whose verification notices nothing in these gradients."""
    return _tried(seen, view, lambda trial: trial.tensor in tensors)


def small_errors_accepted(seen: View, view: View, tensors: tuple[str, ...]) -> View:
    """Return the reference whose verification accepts the small errors that the real one does."""

    def missed(trial: Trial) -> bool:
        small = trial.kind is CorruptionKind.SCALE and trial.amount > 1
        return trial.missed and small and trial.tensor in tensors

    return _tried(seen, view, missed)


def _tried(seen: View, view: View, missed: Callable[[Trial], bool]) -> View:
    """The trials that were made, on a right verification but for what is missed."""
    yes = Observation(Ended.OK, {"accepted": np.array(True)})
    agreed = altered(view, lambda name, run: yes if call_of(name) is Call.VERIFY else run)
    made = (t for t in seen.verification.trials if t.outcome is not TrialOutcome.NOT_APPLICABLE)
    outcomes = {True: TrialOutcome.ACCEPTED, False: TrialOutcome.REFUSED}
    trials = tuple(replace(t, outcome=outcomes[missed(t)]) for t in made)
    record = replace(seen.verification, accepts=True, equalised=False, trials=trials)
    return replace(agreed, verification=record, _memory={})
