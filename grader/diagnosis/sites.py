"""The line of what no single value tells: found in the source, where need be with the trace.

A finder knows what the statement behind a code looks like. It only looks; whether
the defect is there at all has been settled by numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.diagnosis.clues import Clues, Finder
from grader.diagnosis.sites_differences import quotient, step, verdict
from grader.diagnosis.sites_numpy import (
    class_count,
    closes_the_mask,
    constant_size,
    in_backward,
    log_base,
    loses_dimension,
    missing_gradient,
    other_branch,
    returned_loss,
    spoilt_at_zero,
    stub,
)
from grader.diagnosis.sites_state import (
    accumulates,
    ignores_cache,
    unsteady,
    writes_argument,
    writes_cache,
)
from grader.diagnosis.sites_torch import (
    backward_call,
    by_hand,
    cut,
    leaf,
    single,
    written_in_place,
)
from grader.diagnosis.sites_verify import rejects, says_yes
from grader.records import Defect

SITES: Mapping[str, Finder] = {
    "mutates-input": writes_argument,
    "mutates-cache": writes_cache,
    "grad-accumulates": accumulates,
    "hidden-state": ignores_cache,
    "nondeterministic": unsteady,
    "grad-missing": missing_gradient,
    "class-count-from-labels": class_count,
    "hard-coded-size": constant_size,
    "relu-zero-convention": closes_the_mask,
    "grad-unexplained": spoilt_at_zero,
    "bias-wrong-axis": other_branch,
    "loss-log-base": log_base,
    "loss-unexplained": returned_loss,
    "softmax-wrong-broadcast": loses_dimension,
    "torch-grad-accumulates": backward_call,
    "torch-leaf-without-grad": leaf,
    "torch-graph-detached": cut,
    "torch-inplace": written_in_place,
    "torch-manual-gradient": by_hand,
    "torch-precision-lost": single,
    "verify-always-true": says_yes,
    "verify-rejects-correct": rejects,
    "fd-one-sided": quotient,
    "fd-step-too-large": step,
    "fd-step-too-small": step,
    "fd-always-passes": verdict,
    "incomplete": stub,
    **dict.fromkeys(
        (
            *("bias-grad-not-summed", "bias-grad-mean", "bias-grad-wrong-axis"),
            *("bias-grad-over-everything", "bias-grad-keepdims", "grad-transposed"),
        ),
        in_backward,
    ),
}
"""Who finds the line of a code where the trace has not."""

SHARPER = (
    *("loss-log-base", "torch-leaf-without-grad", "verify-rejects-correct"),
    *("fd-one-sided", "fd-step-too-large", "fd-step-too-small", "fd-always-passes"),
)
"""Whose finders know better than a value that is wrong, an error that is raised later on, or
the definition in which it happens."""


def located(defects: Sequence[Defect], clues: Clues) -> list[Defect]:
    """The defects with lines for those that had none, as far as their sites are found."""
    asked = (d.code in SITES and (d.line is None or d.code in SHARPER) for d in defects)
    return [_found(d, clues) if ask else d for d, ask in zip(defects, asked, strict=True)]


def _found(defect: Defect, clues: Clues) -> Defect:
    try:
        spot = SITES[defect.code](clues, defect)
    except RecursionError:  # an expression nested beyond all reason: then without a line
        spot = None
    if spot is None:
        return defect
    source = clues.line(spot)
    return replace(defect, file=spot.file, line=spot.line, end_line=spot.end_line, source=source)


__all__ = ["Clues", "located"]
