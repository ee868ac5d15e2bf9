"""All that is known about one submission → its defects, and which checks fail through them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.checks import View
from grader.diagnosis.behaviour import behaviour_defects
from grader.diagnosis.cut import NO_LEAF, cut_graph
from grader.diagnosis.differences import numeric_gradient
from grader.diagnosis.layers import layer_defects
from grader.diagnosis.match import Predictions
from grader.diagnosis.numeric import Part, defects_of, explain_numpy, explain_torch
from grader.diagnosis.place import placed
from grader.diagnosis.process import NO_LOSS, process_defects
from grader.diagnosis.sites import Clues, located
from grader.diagnosis.sources import UNEXPLAINED, habits, read_on_primes, with_first_wrong
from grader.diagnosis.through import through_faults
from grader.diagnosis.witnesses import Witness
from grader.observe.trace import Trace
from grader.records import TENSORS, CheckStatus, Confidence, Defect, Ended, Finding, Submission
from grader.source.program import Program

TRIALS = ("verification.covers", "verification.refuses", "verification.tight")
"""Checks that spoil a gradient; they wait where the two sides do not agree, or do not run."""

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
    "class-count-from-labels": (
        *("forward.gather", "forward.edge_sizes", "forward.overflow", "forward.underflow"),
        *("backward.edge_sizes", "backward.stable", "forward.row_max"),
    ),
    "verify-missing": ("verification.exists", "verification.accepts", *TRIALS),
    "verify-always-true": ("verification.accepts", *TRIALS),
    "verify-partial": ("verification.accepts", *TRIALS[:2]),
    "verify-loose-tolerance": ("verification.accepts", *TRIALS[1:]),
    "verify-rejects-correct": ("verification.accepts", *TRIALS),
    "verify-different-inputs": ("verification.accepts", *TRIALS),
    "fd-one-sided": ("verification.fd_accurate",),
    "fd-step-too-large": ("verification.fd_accurate", "verification.fd_catches"),
    "fd-step-too-small": ("verification.fd_accurate", "verification.fd_catches"),
    "fd-always-passes": ("verification.fd_accurate", "verification.fd_catches"),
}
"""Checks that a defect which is no row of the fault table makes fail, and no others."""


NOT_LOADED = (
    *("syntax-error", "python2-source", "import-error", "missing-function", "timeout"),
    *("memory-limit", "output-limit", "crash", "sandbox-violation"),
)
"""What can keep a file from being imported; then nothing in it could be looked at."""


@dataclass(frozen=True)
class Diagnosis:
    """The defects, and for checks that did not pass, the codes that explain why.

    `parts` are the NumPy and the PyTorch part as the fault table explains them.
    """

    defects: tuple[Defect, ...]
    explained: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: tuple[Part | None, Part | None] = (None, None)


Tracer = Callable[[], Trace]
"""Gives the trace of the PyTorch part; asked only where a line in it is wanted."""


def diagnose(
    submission: Submission,
    view: View,
    findings: Sequence[Finding],
    predictions: Predictions,
    torch_trace: Tracer,
) -> Diagnosis:
    """Defects with code, tensors and confidence; lines come from the trace or the traceback."""
    by_id = {f.check: f for f in findings}
    process = _really_missing(process_defects(submission, view.observations), by_id)
    numpy, torch = explain_numpy(view, predictions), explain_torch(view, predictions)
    program = Program(submission)
    numeric: list[Defect] = []
    for part, side in ((numpy, "numpy"), (torch, "torch")):
        if part is None:
            continue
        wrong = defects_of(part, view, predictions, _following(by_id, side))
        wanted = any(found_by for _, found_by in wrong)
        trace = view.trace if side == "numpy" else torch_trace() if wanted else Trace()
        numeric += _told(wrong, trace, view, program, habits_too=side == "numpy")
    behaviour = list(behaviour_defects(view, by_id, numpy, torch))
    behaviour += [*cut_graph(submission, view), *numeric_gradient(view)]
    clues = Clues(program, view, torch_trace)
    told = [*process, *located([*numeric, *behaviour], clues)]
    defects = _consequences_dropped(_distinct(told), late=_late(view))
    explained = _explained(view, findings, (numpy, torch), defects)
    for defect, checks in layer_defects(view, by_id, program, defects):
        defects.append(defect)
        lost = [c for c in checks if by_id[c].status is CheckStatus.FAIL]
        if defect.confidence is Confidence.PROVEN:
            explained |= {c: (*explained.get(c, ()), defect.code) for c in lost}
    return Diagnosis(tuple(defects), explained, (numpy, torch))


def _following(findings: Mapping[str, Finding], side: str) -> list[str]:
    """The tensors whose gradient is that of the loss that the part itself gives.

    By hand, finite differences of that loss tell; by autograd it is so in a whole graph.
    """
    if side == "torch":
        made = (findings[check].status for check in ("pytorch.autograd", "pytorch.graph"))
        return list(TENSORS) if all(status is CheckStatus.PASS for status in made) else []
    lines = findings["backward.own_loss"].evidence
    good = {e.what for e in lines if e.verdict is CheckStatus.PASS}
    return [t for t in TENSORS if any(what.startswith(f"d{t} ") for what in good)]


def _really_missing(defects: Iterable[Defect], findings: Mapping[str, Finding]) -> list[Defect]:
    """Without `verify-missing` where the script itself compares."""
    compared = findings["verification.exists"].status is CheckStatus.PASS
    return [d for d in defects if not (compared and d.code == "verify-missing")]


def _told(
    wrong: Sequence[tuple[Defect, list[Witness]]],
    trace: Trace,
    view: View,
    program: Program,
    *,
    habits_too: bool,
) -> list[Defect]:
    """One part's defects with their lines, and what only its source shows."""
    defects = [placed(defect, found_by, trace, program) for defect, found_by in wrong]
    if not trace.values:
        return defects
    unplaced = any(d.code in UNEXPLAINED for d in defects)
    gated = any(d.code.startswith("relu-") for d in defects)
    if not (unplaced or habits_too):
        return defects
    named = read_on_primes(trace, view)
    defects = with_first_wrong(defects, named) if unplaced else defects
    return [*defects, *(habits(named) if habits_too and not gated and not unplaced else [])]


COVERS: Mapping[str, tuple[str, ...]] = {
    "class-count-from-labels": ("runtime-error",),
    "torch-inplace": ("runtime-error",),
    "torch-graph-detached": ("runtime-error",),
    "torch-leaf-without-grad": ("runtime-error",),
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
        hidden = [d for d in found if d.code in COVERS[cause.code] and _same_part(cause, d)]
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


def _same_part(cause: Defect, error: Defect) -> bool:
    """A cause in the PyTorch part alone explains no error in the NumPy part."""
    by_hand = error.message.startswith(("forward:", "backward:"))
    return not (by_hand and cause.code.startswith("torch-"))


UNSTEADY = ("grad-accumulates", "torch-grad-accumulates", "nondeterministic", "hidden-state")
"""Whoever answers differently each time is explained by that, not by one of the answers."""


COMPARED = ("forward/primes/again", "backward/primes/again", "backward/first", "backward/second")


def _late(view: View) -> bool:
    """Whether the time was up before the calls that are compared with one another."""
    ends = {view.observations[step].ended for step in COMPARED}
    return Ended.TIMEOUT in ends or Ended.NOT_RUN in ends


def _consequences_dropped(defects: list[Defect], *, late: bool) -> list[Defect]:
    """Without what only follows from another defect that has been named.

    `late`: what never came back is no answer of another kind, if a `timeout` says so.
    """
    codes = {d.code for d in defects}
    late = late and "timeout" in codes
    causes = codes - {"runtime-error"}
    left = []
    for defect in defects:
        torch = defect.message.startswith("PyTorch part")
        verify_error = defect.code == "runtime-error" and defect.message.startswith("verify:")
        unsteady = defect.code in ("grad-unexplained", "loss-unexplained") and any(
            code in codes and torch == code.startswith("torch-") for code in UNSTEADY
        )
        unsteady = unsteady or (late and not torch and defect.code in UNEXPLAINED)
        no_bias = defect.code == "torch-leaf-without-grad" and any(
            d.code == "bias-missing" and d.message.startswith("PyTorch part") for d in defects
        )
        if no_bias and set(defect.tensors) <= {"b1", "b2"}:
            continue
        no_leaf = defect.code == "torch-graph-detached" and NO_LEAF in defect.message
        no_loss = (
            defect.code == "loss-unexplained"
            and not torch
            and any(d.code == "missing-function" and d.message.startswith(NO_LOSS) for d in defects)
        )
        if "numeric-gradient" in codes and not torch and _is_of_differences(defect):
            continue
        if not (unsteady or no_leaf or no_loss or (verify_error and causes)):
            left.append(defect)
    return left


def _is_of_differences(defect: Defect) -> bool:
    """Whether it follows from differencing: inexact, slow, and the forward run many times."""
    slow = defect.code == "timeout" and defect.message.startswith("backward:")
    return slow or defect.code in ("grad-unexplained", "recomputes-forward", "mutates-cache")


def _explained(
    view: View,
    findings: Sequence[Finding],
    parts: Sequence[Part | None],
    defects: Sequence[Defect],
) -> dict[str, tuple[str, ...]]:
    """Check → codes, for checks that fail just so where only those bugs are there."""
    lost = {f.check: f for f in findings if f.status in (CheckStatus.FAIL, CheckStatus.SKIPPED)}
    explained: dict[str, list[str]] = {}
    proven = [d for d in defects if d.confidence is Confidence.PROVEN]
    for part in parts:
        for check, codes in (through_faults(view, part, lost) if part else {}).items():
            explained.setdefault(check, []).extend(codes)
    missing = any(d.code == "verify-missing" for d in proven)
    own = {c for c in lost if missing and c.startswith("verification.")}
    for defect in proven:
        for pattern in REACHED.get(defect.code, ()):
            for check in lost.keys() - (own if defect.code.startswith("torch-") else set()):
                if check == pattern or (pattern.endswith("*") and check.startswith(pattern[:-1])):
                    explained.setdefault(check, []).append(defect.code)
    for check in lost:
        explained.setdefault(check, []).extend(_not_loaded(view, check, proven))
    waiting = {f.check for f in findings if f.status is CheckStatus.SKIPPED}
    for check in sorted(c for c in waiting.intersection(TRIALS) if not explained.get(c)):
        others = [d.code for d in proven if not d.code.startswith("verify-")]
        explained[check] = explained.get("verification.accepts") or others
    known = {d.code for d in proven}
    return {
        check: tuple(dict.fromkeys(c for c in codes if c in known))
        for check, codes in sorted(explained.items())
        if any(c in known for c in codes)
    }


def _not_loaded(view: View, check: str, proven: Sequence[Defect]) -> list[str]:
    """What kept `check` waiting where the file it looks at could not be imported at all."""
    sides = view.observations.numpy, view.observations.torch
    by_hand = check.startswith(("forward.", "backward."))
    needed = sides[:1] if by_hand else sides[1:] if check.startswith("pytorch.") else sides
    if all(side.loaded.ok for side in needed):
        return []
    return [d.code for d in proven if d.code in NOT_LOADED]
