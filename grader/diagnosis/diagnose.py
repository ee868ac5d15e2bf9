"""All that is known about one submission → its defects, and which checks fail through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.checks import ALL_CHECKS, Seen, run_checks
from grader.diagnosis.behaviour import behaviour_defects
from grader.diagnosis.match import Predictions
from grader.diagnosis.numeric import Part, defects_of, explain_numpy, explain_torch
from grader.diagnosis.place import placed
from grader.diagnosis.process import process_defects
from grader.diagnosis.simulate import simulated
from grader.diagnosis.sources import UNEXPLAINED, habits, read_on_primes, with_first_wrong
from grader.observe.trace import Trace
from grader.records import Array, CheckStatus, Confidence, Defect, Finding, Submission

REACHED: Mapping[str, tuple[str, ...]] = {
    "mutates-input": ("forward.pure",),
    "nondeterministic": ("forward.repeatable",),
    "mutates-cache": ("backward.repeatable", "backward.uses_cache"),
    "grad-accumulates": ("backward.repeatable", "backward.uses_cache"),
    "hidden-state": ("backward.uses_cache",),
    "torch-grad-accumulates": ("pytorch.repeatable", "verification.accepts"),
    "torch-precision-lost": ("pytorch.float64", "verification.accepts"),
    "torch-manual-gradient": ("pytorch.autograd",),
    "grad-missing": ("verification.accepts",),
    "torch-leaf-without-grad": ("pytorch.graph", "pytorch.d*", "verification.accepts"),
    "torch-graph-detached": ("pytorch.*", "verification.accepts"),
    "torch-inplace": ("pytorch.*", "verification.accepts"),
    "torch-double-softmax": ("pytorch.*",),
    "torch-reduction-sum": ("pytorch.*",),
    "class-count-from-labels": (
        *("forward.gather", "forward.edge_sizes", "forward.overflow", "forward.underflow"),
        *("backward.edge_sizes", "backward.stable", "forward.row_max"),
    ),
    "verify-missing": ("verification.*",),
    "verify-always-true": ("verification.accepts",),
    "verify-rejects-correct": ("verification.accepts",),
}
"""Checks that a defect which is no row of the fault table makes fail, and no others."""


@dataclass(frozen=True)
class Diagnosis:
    """The defects, and for checks that did not pass, the codes that explain why."""

    defects: tuple[Defect, ...]
    explained: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Tracer = Callable[[], Trace]
"""Gives the trace of the PyTorch part; asked only where a line in it is wanted."""


def diagnose(
    submission: Submission,
    seen: Seen,
    findings: Sequence[Finding],
    predictions: Predictions,
    torch_trace: Tracer,
) -> Diagnosis:
    """Defects with code, tensors and confidence; lines come from the trace or the traceback."""
    by_id = {f.check: f for f in findings}
    process = process_defects(submission, seen.observations)
    numpy, torch = explain_numpy(seen, predictions), explain_torch(seen, predictions)
    numeric: list[Defect] = []
    for part, side in ((numpy, "numpy"), (torch, "torch")):
        if part is None:
            continue
        wrong = defects_of(part, seen, predictions)
        wanted = any(witnesses for _, witnesses in wrong)
        trace = seen.trace if side == "numpy" else torch_trace() if wanted else Trace()
        numeric += _told(wrong, trace, seen, habits_too=side == "numpy")
    behaviour = list(behaviour_defects(seen, by_id, numpy, torch))
    defects = _consequences_dropped(_distinct([*process, *numeric, *behaviour]))
    explained = _explained(seen, findings, numpy, defects)
    return Diagnosis(tuple(defects), explained)


def _told(
    wrong: Sequence[tuple[Defect, list[Array]]], trace: Trace, seen: Seen, *, habits_too: bool
) -> list[Defect]:
    """One part's defects with their lines, and what only its source shows."""
    defects = [placed(defect, witnesses, trace) for defect, witnesses in wrong]
    if not trace.values:
        return defects
    unplaced = any(d.code in UNEXPLAINED for d in defects)
    gated = any(d.code.startswith("relu-") for d in defects)
    if not (unplaced or habits_too):
        return defects
    named = read_on_primes(trace, seen)
    defects = with_first_wrong(defects, named) if unplaced else defects
    return [*defects, *(habits(named) if habits_too and not gated and not unplaced else [])]


COVERS: Mapping[str, tuple[str, ...]] = {
    "class-count-from-labels": ("runtime-error",),
    "torch-inplace": ("runtime-error",),
    "torch-graph-detached": ("runtime-error",),
    "bias-wrong-axis": ("runtime-error",),
    "softmax-wrong-broadcast": ("runtime-error",),
}
"""A named cause in place of the bare error that it raises."""


def _distinct(defects: Iterable[Defect]) -> list[Defect]:
    """One defect a code and place; a bare `runtime-error` gives way to what names its cause.

    The cause inherits the line of the error.
    """
    merged: dict[tuple[str, str | None, int | None], Defect] = {}
    for defect in defects:
        merged.setdefault((defect.code, defect.file, defect.line), defect)
    found = list(merged.values())
    for cause in [d for d in found if d.code in COVERS]:
        hidden = [d for d in found if d.code in COVERS[cause.code]]
        if hidden and cause.line is None:
            first = hidden[0]
            placed = replace(
                cause,
                file=first.file,
                line=first.line,
                end_line=first.end_line,
                source=first.source,
            )
            found[found.index(cause)] = placed
        found = [d for d in found if d not in hidden]
    return found


UNSTEADY = ("grad-accumulates", "torch-grad-accumulates", "nondeterministic", "hidden-state")
"""Whoever answers differently each time is explained by that, not by one of the answers."""


def _consequences_dropped(defects: list[Defect]) -> list[Defect]:
    """Without what only follows from another defect that has been named."""
    codes = {d.code for d in defects}
    causes = codes - {"runtime-error"}
    left = []
    for defect in defects:
        torch = defect.message.startswith("PyTorch part")
        verify_error = defect.code == "runtime-error" and defect.message.startswith("verify:")
        unsteady = defect.code in ("grad-unexplained", "loss-unexplained") and any(
            code in codes and torch == code.startswith("torch-") for code in UNSTEADY
        )
        no_bias = defect.code == "torch-leaf-without-grad" and any(
            d.code == "bias-missing" and d.message.startswith("PyTorch part") for d in defects
        )
        if no_bias and set(defect.tensors) <= {"b1", "b2"}:
            continue
        if not (unsteady or (verify_error and causes)):
            left.append(defect)
    return left


def _explained(
    seen: Seen, findings: Sequence[Finding], numpy: Part | None, defects: Sequence[Defect]
) -> dict[str, tuple[str, ...]]:
    """Check → codes, for checks that fail just so where only those bugs are there."""
    lost = {f.check for f in findings if f.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)}
    explained: dict[str, list[str]] = {}
    proven = [d for d in defects if d.confidence is Confidence.PROVEN]
    if numpy is not None and not numpy.explanation.unexplained:
        for check, codes in _through_faults(seen, numpy, lost).items():
            explained.setdefault(check, []).extend(codes)
    own = {"verification.accepts"} if "verify-missing" in {d.code for d in proven} else set()
    for defect in proven:
        for pattern in REACHED.get(defect.code, ()):
            for check in lost - (own if defect.code.startswith("torch-") else set()):
                if check == pattern or (pattern.endswith("*") and check.startswith(pattern[:-1])):
                    explained.setdefault(check, []).append(defect.code)
    known = {d.code for d in proven}
    return {
        check: tuple(dict.fromkeys(c for c in codes if c in known))
        for check, codes in sorted(explained.items())
        if any(c in known for c in codes)
    }


def _through_faults(seen: Seen, numpy: Part, lost: set[str]) -> dict[str, list[str]]:
    """Checks that fail on the simulated submission too, with the single faults that suffice."""
    explanation = numpy.explanation
    found = (*explanation.forward, *explanation.backward)
    if not found and not numpy.missing:
        return {}
    paper = seen.exam.paper

    def failing(members: Sequence, missing: Sequence[str]) -> set[str]:  # type: ignore[type-arg]
        free = [f for f in explanation.free if any(m.fault.code == f.code for m in members)]
        observations = simulated(seen.observations, paper, members, free, missing)
        outcome = run_checks(ALL_CHECKS, Seen(seen.exam, observations, seen.trace))
        return {f.check for f in outcome if f.status is not CheckStatus.PASS}

    by_hand = {check for check in lost if check.startswith(("forward.", "backward."))}
    together = failing(found, numpy.missing) & by_hand
    by_check: dict[str, list[str]] = {check: [] for check in together}
    codes = list(dict.fromkeys(f.fault.code for f in found))
    for code in codes:
        alone = (
            failing([f for f in found if f.fault.code == code], ()) if len(codes) > 1 else together
        )
        for check in together & alone:
            by_check[check].append(code)
    if numpy.missing:
        alone = failing((), numpy.missing) if codes else together
        for check in together & alone:
            by_check[check].append("grad-missing")
    everything = [*codes, *(["grad-missing"] if numpy.missing else [])]
    return {check: named or everything for check, named in by_check.items()}
